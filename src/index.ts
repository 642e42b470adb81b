export { StreamError, errorCodes } from './errors.js'
