/**
 * Maps with several calls under way at once and gives the results in the inputs' order.
 *
 * Never more than `atOnce` inputs are held: the next is only taken once a result was handed out.
 *
 * @param map Its rejection ends the iteration.
 */
export async function* mapInOrder<Input, Output>(
  inputs: AsyncIterable<Input>,
  map: (input: Input) => Promise<Output>,
  atOnce: number,
): AsyncGenerator<Output> {
  const running: Promise<Output>[] = []
  for await (const input of inputs) {
    const result = map(input)
    // It may fail while an earlier one is awaited: it is looked at when it's its turn, or nobody wants it any more.
    result.catch(() => undefined)
    running.push(result)
    const next = running.length < atOnce ? undefined : running.shift()
    if (next !== undefined) yield await next
  }
  for (const result of running) yield await result
}
