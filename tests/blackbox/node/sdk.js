// Calls the RPC API with the vendor's SDKs for Node.js; started by test_node.py in the folder that they are installed in.
//
// Reads a document from standard input, of which `calls` is a list, and writes a list with what came of each call. A call has
// an `action`, `parameters` where the action has some, `method`, `form` where the parameters go into the body, and `follow`, in
// seconds, where it is made until a task is over.
'use strict';

const { createRequire } = require('module');
const path = require('path');
const { text } = require('stream/consumers');
const { setTimeout } = require('timers/promises');

const installed = createRequire(path.join(process.cwd(), 'package.json'));

const VERSION = '2018-12-03';

// Signature V1; `sdk` names the package.
async function pop(sdk, endpoint, call) {
  const RPCClient = installed(sdk === 'pop-core' ? '@alicloud/pop-core' : sdk);
  const { RPCClient: Inner = RPCClient } = RPCClient;
  const client = new Inner({
    accessKeyId: call.id,
    accessKeySecret: call.secret,
    securityToken: call.token,
    endpoint: `http://${endpoint}`,
    apiVersion: VERSION,
  });
  return client.request(call.action, call.parameters, call.method ? { method: call.method } : {});
}

// Signature V3; of the old package, V1.
async function tea(sdk, endpoint, call) {
  const isOld = sdk.endsWith('-old');
  const client = installed(isOld ? sdk : `@alicloud/${sdk}`);
  const { Config, OpenApiRequest, Params } = client.$OpenApiUtil ?? client;
  const { RuntimeOptions } = installed('@alicloud/tea-util');
  const config = new Config({
    accessKeyId: call.id,
    accessKeySecret: call.secret,
    securityToken: call.token,
    endpoint,
    protocol: 'HTTP',
    regionId: 'cn-shanghai',
    signatureAlgorithm: call.signature ?? undefined,
  });
  const given = flat(call.parameters);
  const request = new OpenApiRequest(call.form ? { body: given } : { query: given });
  const runtime = new RuntimeOptions({});
  const made = new client.default(config);
  const method = call.method ?? 'POST';
  if (isOld) {
    return (await made.doRPCRequest(call.action, VERSION, 'HTTP', method, 'AK', 'json', request, runtime)).body;
  }
  const params = new Params({
    action: call.action,
    version: VERSION,
    protocol: 'HTTP',
    pathname: '/',
    method,
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  });
  return (await made.callApi(params, request, runtime)).body;
}

// Lists as parameters have them, as the generated clients of the other languages write them.
function flat(parameters, before = '') {
  const parts = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) {
      Object.assign(parts, flat(Object.fromEntries(value.map((one, place) => [place + 1, one])), `${before}${name}.`));
    } else if (value !== null && typeof value === 'object') {
      Object.assign(parts, flat(value, `${before}${name}.`));
    } else {
      parts[`${before}${name}`] = String(value);
    }
  }
  return parts;
}

// Makes a call; where it has `follow`, again and again until the first row of its list is over for good.
async function follow(make, call) {
  const end = Date.now() + 1000 * (call.follow ?? 0);
  for (;;) {
    const body = await make(call);
    const [row] = body.List ?? [];
    const isOver = row?.Status !== 1 && !['PREPARED', 'RUNNING'].includes(row?.ReportStatus);
    if (isOver || Date.now() >= end) return body;
    await setTimeout(50);
  }
}

async function main() {
  const document = JSON.parse(await text(process.stdin));
  const answers = [];
  for (const call of document.calls) {
    const make = document.sdk.startsWith('pop-core') ? pop : tea;
    try {
      const body = await follow((one) => make(document.sdk, document.endpoint, one), { parameters: {}, ...call });
      answers.push({ body });
    } catch (error) {
      // Whatever the SDK makes of it is what its users see.
      answers.push({ error: error.name, code: error.code ?? null, message: error.message, data: error.data ?? {} });
    }
  }
  // Not cut short by connections that are kept for more calls.
  process.stdout.write(JSON.stringify(answers), () => process.exit());
}

main();
