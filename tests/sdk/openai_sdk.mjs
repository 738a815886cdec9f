// The official OpenAI SDK for Node, unchanged, through the gate. Arguments: the base URL, and the
// directory in which the SDK is installed. Any failed expectation ends with exit code 1.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [baseURL, installed] = process.argv.slice(2);
const { default: OpenAI } = createRequire(`${installed}/`)('openai');

const EMAIL = 'nora.lindgren@brevlada.se';
const PHONE = '+44 20 7946 0857';
const client = new OpenAI({ baseURL, apiKey: 'sk-sdk-test', maxRetries: 0, timeout: 60_000 });
const ask = {
  model: 'gpt-4o',
  messages: [{ role: 'user', content: `Write to ${EMAIL} and ask for a call at ${PHONE}.` }],
};

// Not streamed.
const answer = await client.chat.completions.create(ask);
assert.ok(answer.choices[0].message.content.includes(EMAIL));
assert.ok(answer.choices[0].message.content.includes(PHONE));
assert.ok(answer.usage.total_tokens > 0);

// Streamed.
const pieces = [];
const stream = await client.chat.completions.create({ ...ask, stream: true });
for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta?.content ?? '');
assert.ok(pieces.length > 5, 'the stream came in pieces');
assert.ok(pieces.join('').includes(EMAIL) && pieces.join('').includes(PHONE));

// Tools, streamed.
const tools = [{
  type: 'function',
  function: {
    name: 'send_message',
    description: 'Sends a message.',
    parameters: {
      type: 'object',
      properties: { email: { type: 'string' }, phone: { type: 'string' } },
      required: ['email'],
    },
  },
}];
let args = '';
const calls = await client.chat.completions.create({ ...ask, tools, tool_choice: 'required', stream: true });
for await (const chunk of calls) {
  for (const part of chunk.choices[0]?.delta?.tool_calls ?? []) args += part.function?.arguments ?? '';
}
assert.deepEqual(JSON.parse(args), { email: EMAIL, phone: PHONE });

// The Responses API, streamed.
let spoken = '', finished;
const wish = { model: 'gpt-4o', input: `Write to ${EMAIL} and ask for a call at ${PHONE}.` };
for await (const event of await client.responses.create({ ...wish, stream: true })) {
  if (event.type === 'response.output_text.delta') spoken += event.delta;
  if (event.type === 'response.completed') finished = event.response;
}
assert.ok(spoken.includes(EMAIL) && spoken.includes(PHONE));
assert.equal(finished.output[0].content[0].text, spoken);

// Embeddings and models.
const vectors = await client.embeddings.create({ model: 'text-embedding-3-small', input: `mail ${EMAIL}` });
assert.equal(vectors.data[0].embedding.length, 1536);
const models = [];
for await (const model of client.models.list()) models.push(model.id);
assert.ok(models.includes('gpt-4o'));

// Errors are the SDK's own classes, and do not repeat what was sent.
const refused = async (kind, status, code, call) => {
  const error = await call().then(() => assert.fail(`expected ${kind.name}`), (error) => error);
  assert.ok(error instanceof kind, String(error));
  assert.equal(error.status, status);
  assert.equal(error.code, code);
  assert.ok(error.headers.get('tollgate-exchange'));
  assert.ok(!String(error).includes(EMAIL));
};
await refused(OpenAI.PermissionDeniedError, 403, 'policy_blocked', () =>
  client.embeddings.create({ model: 'text-embedding-3-small', input: `${EMAIL} was diagnosed with epilepsy` }));
if (!baseURL.includes('/openai/')) { // an endpoint that is named by its prefix takes any model
  await refused(OpenAI.NotFoundError, 404, 'model_not_found', () =>
    client.chat.completions.create({ ...ask, model: 'no-such-model' }));
}
console.log('openai for node');
