import type { ContainerHeader } from './container-header.js'
import type { PacketList } from './packets.js'

/** A rate that neither the container nor the packets tell is taken as this, as ffmpeg does for raw streams. */
const FALLBACK_FPS = 25

/** Rates of television: whole numbers slowed down by 1001/1000. */
const NTSC_RATES = [12, 15, 24, 30, 48, 60, 120, 240].map((rate) => (rate * 1000) / 1001)

/**
 * The average frame rate as libavformat has it, exactly: ffmpeg prints it with two decimals only.
 *
 * In mov and mp4 it is packets / the sum of their durations, so that is counted. Other containers name a
 * rate or have it rounded to a usual one, so the usual rate that prints the same is taken.
 */
export function averageFps(packets: PacketList, { format, printedFps }: ContainerHeader): number {
  const { numerator, denominator } = packets.timeBase
  const counted = (packets.totalPackets * denominator) / (packets.totalDuration * numerator)
  const isCounted = Number.isFinite(counted) && counted > 0
  if (printedFps === undefined || printedFps === 0) return isCounted ? counted : FALLBACK_FPS

  if (format.startsWith('mov') && isCounted && printsAs(counted, printedFps)) return counted
  return NTSC_RATES.find((rate) => printsAs(rate, printedFps)) ?? printedFps
}

function printsAs(fps: number, printed: number): boolean {
  return Math.round(fps * 100) === Math.round(printed * 100)
}
