/**
 * The public API of tinyllava-stream, by the stages a video goes through.
 *
 * Everything here is kept stable within a major version; nothing else of the package is.
 */

// The life of a pipeline
export { definePipeline } from './service/define-pipeline.js'
export type { Pipeline, StreamContext } from './service/define-pipeline.js'
export type { ModelEvent, RunEvent, StreamEvent, StreamOutcome } from './service/events.js'
export { start } from './service/start.js'
export type { RunState, RunStatus } from './service/run-status.js'
export type { SourceState, SourceStatus, StreamStatus } from './service/source-entry.js'
export type { RunSources } from './service/source-registry.js'
export type { Run, StopOptions } from './service/start.js'

// A run seen from outside: HTTP, figures, logs
export { serve } from './service/http/serve.js'
export type { Served } from './service/http/serve.js'
export type { ServeOptions } from './service/http/http-settings.js'
export { defaultSourceFactories } from './service/http/source-factories.js'
export type { SourceFactories } from './service/http/source-factories.js'
export { createRunMetrics } from './service/metrics/run-metrics.js'
export type { RunMetrics, RunMetricsOptions } from './service/metrics/run-metrics.js'
export { createLogger, logRun } from './service/logs.js'
export type { LogRunOptions, LoggerOptions, RunLog } from './service/logs.js'
export type { ObservedRun } from './service/observed-run.js'

// A model without a pipeline
export { loadModel } from './service/load-model.js'
export type { Conversation, ConversationAskOptions } from './service/conversation.js'
export type { AskOptions, ConverseOptions, LoadedModel } from './service/load-model.js'
export type { OpenModelOptions } from './service/open-model.js'

// Why an answer came out as it did
export type { Explanation, SeenFrame } from './explain/explanation.js'
export { explanationPage } from './explain/page.js'
export type { ExplainedAnswer, ExplainedCandidate, ExplainedStep, PatchGrid } from './model/explain/explained-answer.js'
export { explainVideo } from './service/explain-video.js'
export type { ExplainVideoOptions } from './service/explain-video.js'

// Benchmarks, asked and scored as the reference does
export { benchmarkNames } from './eval/benchmark-names.js'
export type { BenchmarkName } from './eval/benchmark-names.js'
export type { EvalFile, Score } from './eval/benchmark.js'
export type { FrameBudget } from './eval/frames/frame-budget.js'
export { runBenchmark } from './eval/run-benchmark.js'
export type { BenchmarkRun, DegradedAnswer, EvalProgress, RunBenchmarkOptions } from './eval/run-benchmark.js'

// Sources
export { allowList } from './sources/allow-list.js'
export type { AllowList, AllowedAddress } from './sources/allow-list.js'
export { directory } from './sources/directory.js'
export type { DirectoryOptions } from './sources/directory.js'
export { file } from './sources/file.js'
export type { FileOptions } from './sources/file.js'
export type { DownloadOptions } from './sources/remote-file/settings.js'
export { image } from './sources/image.js'
export type { ImageOptions } from './sources/image.js'
export { rtsp } from './sources/rtsp.js'
export type { RtspOptions } from './sources/rtsp/settings.js'
export type { RtspTransport } from './sources/rtsp/connection.js'
export type { WhenFull } from './sources/live/buffer.js'
export type { KafkaConnection, Secret } from './kafka/connection-settings.js'
export type { CameraOptions } from './sources/kafka/open-video.js'
export { kafkaSource } from './sources/kafka.js'
export type { KafkaSourceOptions } from './sources/kafka.js'
export { fromTopic } from './sources/from-topic.js'
export type { FromTopicOptions } from './sources/from-topic.js'
export type { FrameStream, Source, SourceNotice } from './sources/source.js'
export { synthetic } from './sources/synthetic.js'
export type { SyntheticOptions } from './sources/synthetic.js'

// Sampling
export { allFrames } from './sampling/all-frames.js'
export { atIndices } from './sampling/at-indices.js'
export { byFps } from './sampling/by-fps.js'
export { sample } from './sampling/sample.js'
export type { Exactness, Sampling } from './sampling/sampling.js'
export { uniform } from './sampling/uniform.js'
export { uniformPerSecond } from './sampling/uniform-per-second.js'

// Operators
export { alert } from './operators/alert.js'
export type { AlertOptions } from './operators/alert.js'
export { answer } from './operators/answer.js'
export type { AnswerOptions } from './operators/answer.js'
export { encode } from './operators/encode.js'
export type { EncodeOptions } from './operators/encode.js'
export type { SkipStaticOptions } from './operators/skip-static.js'
export { mapBounded } from './operators/map-bounded.js'
export type { BatchProject } from './operators/bounded-work.js'
export type { MapBoundedOptions } from './operators/map-bounded.js'
export { jsonField, normaliseText, onChange } from './operators/on-change.js'
export type { OnChangeOptions } from './operators/on-change.js'
export type { AnswerEvent, RunContext, RunModel } from './operators/run-context.js'
export { slidingWindow } from './operators/sliding-window.js'
export { toTopic } from './operators/to-topic.js'
export type { ToTopicOptions } from './operators/to-topic.js'
export type { FrameWindowOptions, OnPartial, TimeWindowOptions } from './operators/sliding-window.js'
export { wholeClip } from './operators/whole-clip.js'
export type { WholeClipOptions } from './operators/whole-clip.js'

// Sinks, and what they are handed
export { ENVELOPE_SCHEMA, alertResultSchema, answerSchema, errorResultSchema, resultSchema } from './envelope.js'
export { alertId, resultId, resultJsonSchema } from './envelope.js'
export type { AlertIdentity, AlertResult, Answer, ErrorResult, QuestionResult } from './envelope.js'
export type { Result, ResultIdentity } from './envelope.js'
export { consoleSink } from './sinks/console.js'
export type { ConsoleSinkOptions } from './sinks/console.js'
export type { TextOutput } from './sinks/print.js'
export { kafkaSink } from './sinks/kafka.js'
export type { KafkaCompression } from './delivery.js'
export type { KafkaSinkOptions } from './sinks/kafka.js'
export { jsonLines } from './sinks/json-lines.js'
export type { JsonLinesOptions } from './sinks/json-lines.js'
export type { RotateOptions } from './sinks/json-lines-rotation.js'
export type { Sink, SinkContext, SinkNotice } from './sinks/sink.js'
export { webhook } from './sinks/webhook.js'
export type { WebhookOptions } from './sinks/webhook-settings.js'
export type { SinkTime } from './sinks/webhook-time.js'

// Models: from a checkpoint to a bundle, and what a loaded one can do
export { pullCheckpoint } from './model/checkpoint/hub/pull.js'
export type { HubWait } from './model/checkpoint/hub/connection.js'
export type { PullOptions, PullProgress } from './model/checkpoint/hub/pull.js'
export type { HubOptions } from './model/checkpoint/hub/settings.js'
export { convertCheckpoint } from './model/convert.js'
export type { ConvertOptions, ConvertProgress } from './model/convert.js'
export type { Activations, Precision, VisionPrecision } from './model/precision.js'
export type { BlockSize } from './model/quantise/block-format.js'
export type { DeviceChoice } from './model/device/device.js'
export { floatFeatures } from './model/feature-values.js'
export type { LoadOptions } from './model/load.js'
export type { RuntimeLimits } from './model/runtime/limits.js'
export type { GenerationSettings } from './generation-settings.js'
export type { Manifest } from './model/manifest.js'
export type {
  GenerateOptions,
  Generation,
  Model,
  ModelInfo,
  Pixels,
  VisualTokens,
} from './model/model.js'

// Parts of a model, by name: register your own
export { connectors } from './model/parts/connectors/connectors.js'
export { languageModels } from './model/parts/language-models/language-models.js'
export type { Connector, LanguageModel, VisionTower } from './model/parts/part.js'
export type { Registry } from './model/parts/registry.js'
export type { Template } from './model/parts/templates/template.js'
export { templates } from './model/parts/templates/templates.js'
export { visionTowers } from './model/parts/towers/towers.js'

// What flows, and what is counted
export type { DeliveryMode, HeaderValue, OutgoingRecord, Publication, Transaction } from './delivery.js'
export type { StreamErrorOptions, ErrorCode } from './errors.js'
export { StreamError, errorCodes } from './errors.js'
export { createLedger } from './ledger.js'
export type { LedgerCounts } from './ledger-counts.js'
export type { Need, WindowMark, WindowPlace } from './needs.js'
export type {
  DeliveryOutcome,
  DeliveryReceipt,
  FrameOutcome,
  Ledger,
  QuestionOutcome,
  QuestionReceipt,
  Receipt,
} from './ledger.js'
export type {
  Clip,
  EncodedFrame,
  Frame,
  FrameFeatures,
  MediaSpan,
  PixelKind,
  Question,
  Round,
  StreamHealth,
  StreamInfo,
} from './types.js'
