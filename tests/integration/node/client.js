// One request by node's coap: its parts as JSON in, a JSON line for each answer out.
// See tests/integration/coap_clients.py.
'use strict'
const coap = require('coap')

const asked = JSON.parse(process.argv[2])
const url = new URL(asked.url)
const request = coap.request({
  hostname: url.hostname.replace(/[[\]]/g, ''),
  port: Number(url.port),
  pathname: url.pathname,
  query: url.search.slice(1),
  method: asked.method.toUpperCase(),
  confirmable: !asked.non,
  observe: asked.answers > 1
})
if (asked.format !== null) request.setOption('Content-Format', Buffer.from([asked.format]))
for (const [number, value] of asked.options) request.setOption(String(number), Buffer.from(value, 'hex'))
if (asked.block) {
  const name = asked.payload ? 'Block1' : 'Block2'
  request.setOption(name, Buffer.of(Math.log2(asked.block) - 4))
}

let left = asked.answers
const show = (code, payload) => {
  console.log(JSON.stringify({ code, payload: payload.toString('hex') }))
  if (--left === 0) process.exit(0)
}
request.on('response', (response) => {
  if (asked.answers > 1) response.on('data', (data) => show(response.code, data))
  else show(response.code, response.payload)
})
request.on('error', (error) => {
  console.error(String(error))
  process.exit(1)
})
request.end(Buffer.from(asked.payload, 'hex'))
setTimeout(() => process.exit(left === 0 ? 0 : 3), asked.timeout_s * 1000)
