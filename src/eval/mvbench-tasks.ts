/** One of MVBench's tasks. */
export interface MvbenchTask {
  readonly name: string
  /** Its questions, in `json/`. */
  readonly file: string
  /** Where its videos lie, in `video/`. */
  readonly folder: string
  /**
   * How its frames are taken: spread evenly over the `whole` video; the middles of `segments`, from AVI and WebM files;
   * those of a stretch, from a `folder` of pictures.
   */
  readonly stored: 'whole' | 'segments' | 'folder'
}

const whole = (name: string, folder: string): MvbenchTask => ({ name, file: fileOf(name), folder, stored: 'whole' })

/** The tasks in the order in which they are asked and told. */
export const MVBENCH_TASKS: readonly MvbenchTask[] = [
  { ...whole('Fine-grained Pose', 'nturgbd'), stored: 'segments' },
  { ...whole('Episodic Reasoning', 'tvqa/frames_fps3_hq'), stored: 'folder' },
  whole('Action Sequence', 'star/Charades_v1_480'),
  whole('Action Prediction', 'star/Charades_v1_480'),
  { ...whole('Action Antonym', 'ssv2_video'), stored: 'segments' },
  whole('Fine-grained Action', 'Moments_in_Time_Raw/videos'),
  whole('Unexpected Action', 'FunQA_test/test'),
  whole('Object Existence', 'clevrer/video_validation'),
  whole('Object Interaction', 'star/Charades_v1_480'),
  whole('Object Shuffle', 'perception/videos'),
  whole('Moving Direction', 'clevrer/video_validation'),
  whole('Action Localization', 'sta/sta_video'),
  whole('Scene Transition', 'scene_qa/video'),
  whole('Action Count', 'perception/videos'),
  whole('Moving Count', 'clevrer/video_validation'),
  whole('Moving Attribute', 'clevrer/video_validation'),
  whole('State Change', 'perception/videos'),
  whole('Character Order', 'perception/videos'),
  whole('Egocentric Navigation', 'vlnqa'),
  whole('Counterfactual Inference', 'clevrer/video_validation'),
]

function fileOf(name: string): string {
  return `${name.toLowerCase().replace(/[- ]/g, '_')}.json`
}
