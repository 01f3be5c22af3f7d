// Reading and writing js-libp2p streams with back-pressure.
//
// The library's own `for await (const chunk of stream)` is not used: it misses the end of a stream whose FIN came
// before the loop began, and its queue has no bound.

const kReadAhead = 1 << 20
const kWriteAhead = 1 << 20
export const kBlock = 64 * 1024

/** Yields what the remote sends until its FIN; throws when the stream is reset. */
export async function * chunks (stream) {
  const queue = []
  let queued = 0
  let ended = stream.readableEnded && stream.readBufferLength === 0
  let error
  let wake = () => {}

  const onMessage = ({ data }) => {
    queue.push(data.subarray())
    queued += data.byteLength
    // Data that arrived before its FIN is delivered only now if nobody listened before, and then no 'end' follows.
    ended ||= stream.readableEnded
    if (queued > kReadAhead && stream.readStatus === 'readable') {
      stream.pause()
    }
    wake()
  }
  const onEnd = () => {
    ended = true
    wake()
  }
  const onClose = (event) => {
    error = event.error
    ended = true
    wake()
  }
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  stream.addEventListener('message', onMessage)
  if (stream.status === 'reset' || stream.status === 'aborted') {
    error = new Error(`the stream was ${stream.status}`)
  }

  try {
    while (true) {
      if (queue.length > 0) {
        const chunk = queue.shift()
        queued -= chunk.byteLength
        yield chunk
      } else if (error != null) {
        throw error
      } else if (stream.readStatus === 'paused') {
        stream.resume()
      } else if (ended) {
        return
      } else {
        await new Promise((resolve) => { wake = resolve })
      }
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
  }
}

/** Reads to the remote's FIN and returns everything; throws when there are more than `limit` bytes. */
export async function readAll (stream, limit) {
  const parts = []
  let total = 0
  for await (const chunk of chunks(stream)) {
    total += chunk.byteLength
    if (total > limit) {
      throw new Error(`more than the expected ${limit} bytes came back`)
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Sends `data`, then waits while too much is queued for the remote. */
export async function write (stream, data) {
  stream.send(data)
  while (stream.writeBufferLength > kWriteAhead) {
    await drained(stream)
  }
}

function drained (stream) {
  return new Promise((resolve, reject) => {
    const forget = () => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
    }
    const onDrain = () => {
      forget()
      resolve()
    }
    const onClose = (event) => {
      forget()
      reject(event.error ?? new Error('the stream was closed while data waited to be sent'))
    }
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })
}
