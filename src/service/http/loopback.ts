const LOOPBACK_ADDRESS = /^(localhost|127(\.\d{1,3}){3}|::1)$/i
const LOOPBACK_HOST_HEADER = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** Whether only this machine can reach what listens on the address. */
export function isLoopback(address: string): boolean {
  return LOOPBACK_ADDRESS.test(address)
}

/** Whether a `Host` header names this machine: a page whose own name was made to point here sends its own name. */
export function isLoopbackHost(header: string | undefined): boolean {
  return header !== undefined && LOOPBACK_HOST_HEADER.test(header)
}
