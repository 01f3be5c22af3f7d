// A js-libp2p node for the interoperability matrix. test/interop/README.md defines its command line and its output.

import { multiaddr } from '@multiformats/multiaddr'
import { kDefaults, runCase } from './cases.mjs'
import { createNode, emit, kKeyNames } from './node.mjs'
import { serve } from './protocols.mjs'

const kUsage = `usage: peer.mjs [--key ${kKeyNames.join('|')}] [--no-early-muxer] listen
       peer.mjs [--key ${kKeyNames.join('|')}] [--no-early-muxer] dial MULTIADDR CASE [NAME=NUMBER]...
cases: ${Object.keys(kDefaults).join(' ')}`

const kListen = ['/ip4/127.0.0.1/tcp/0']

class UsageError extends Error {}

function parse (args) {
  const options = { key: 'ed25519', earlyMuxer: true }
  const words = []
  while (args.length > 0) {
    const word = args.shift()
    if (word === '--no-early-muxer') {
      options.earlyMuxer = false
    } else if (word === '--key') {
      options.key = args.shift()
    } else if (word.startsWith('--')) {
      throw new UsageError(`unknown option ${word}`)
    } else {
      words.push(word)
    }
  }
  if (!kKeyNames.includes(options.key)) {
    throw new UsageError(`--key takes one of ${kKeyNames.join(', ')}`)
  }
  return { options, words }
}

function parseParameters (name, words) {
  if (!Object.hasOwn(kDefaults, name)) {
    throw new UsageError(`unknown case ${name}`)
  }
  const parameters = { ...kDefaults[name] }
  for (const word of words) {
    const [key, value] = word.split('=')
    if (!Object.hasOwn(parameters, key) || !/^\d+$/.test(value)) {
      throw new UsageError(`${name} does not take ${word}`)
    }
    parameters[key] = Number(value)
  }
  return parameters
}

async function listen (options) {
  const node = await createNode({ ...options, listen: kListen, runIdentify: true })
  await serve(node)
  emit('listening', { peer: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) })
  // Whoever started the node ends it by closing its standard input, or by dying.
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
  await node.stop()
  return 0
}

async function dial (options, [address, name, ...words]) {
  const parameters = parseParameters(name, words)
  // The identify case asks by itself, so as to learn why it fails (js-libp2p answers one such question at a time), and
  // listens too, because a signed peer record needs an address.
  const identifying = name === 'identify'
  const node = await createNode({ ...options, listen: identifying ? kListen : [], runIdentify: !identifying })
  await serve(node)
  const start = performance.now()
  let result
  try {
    result = { pass: true, facts: await runCase(node, multiaddr(address), name, parameters) }
  } catch (error) {
    console.error(error)
    result = { pass: false, reason: `${error.name}: ${error.message}` }
  }
  emit('result', { case: name, ms: Math.round(performance.now() - start), ...result })
  await node.stop()
  return result.pass ? 0 : 1
}

async function main (args) {
  const { options, words: [mode, ...rest] } = parse(args)
  if (mode === 'listen' && rest.length === 0) {
    return listen(options)
  }
  if (mode === 'dial' && rest.length >= 2) {
    return dial(options, rest)
  }
  throw new UsageError('what to do: listen or dial?')
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) {
    throw error
  }
  console.error(`${error.message}\n${kUsage}`)
  process.exit(2)
}
