// Anthropic's SDK for node drives every route that it knows; see tell.mjs.

import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';

import {
  askPerson,
  askWeather,
  collect,
  counting,
  desk,
  each,
  hello,
  raised,
  task,
  tell,
  url,
} from './tell.mjs';

const settings = { baseURL: url, apiKey: 'any-key', maxRetries: 0, timeout: 20_000 };
const client = new Anthropic(settings);
const { messages } = client;

const Person = z.object({ name: z.string(), age: z.int() });
const schemas = {
  write_file: z.object({ path: z.string(), content: z.string() }),
  read_file: z.object({ path: z.string() }),
  get_weather: z.object({ city: z.string() }),
};
const weather = {
  name: 'get_weather',
  description: 'Tells the weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

function asking(model, more) {
  return { model, max_tokens: 1000, messages: hello, ...more };
}

async function runTools(model, stream, asked, names) {
  const at = desk();
  const tools = names.map((name) =>
    betaZodTool({
      name,
      description: `Does ${name.replace('_', ' ')}.`,
      inputSchema: schemas[name],
      run: at[name],
    }),
  );
  const counted = counting();
  const { beta } = new Anthropic({ ...settings, fetch: counted.fetch });
  const runner = beta.messages.toolRunner(asking(model, { messages: asked, tools, stream }));
  const last = await runner.runUntilDone();
  const content = last.content.map((block) => block.text ?? '').join('');
  const { called, files } = at;
  return { content, called, files, stop_reason: last.stop_reason, requests: counted.times.length };
}

async function tries(model) {
  const counted = counting();
  const insisting = new Anthropic({ ...settings, maxRetries: 1, fetch: counted.fetch });
  const error = await raised(() => insisting.messages.create(asking(model)));
  const [first, second] = counted.times;
  return { error, tries: counted.times.length, waited_ms: second - first };
}

const refusing = [400, 401, 402, 403, 404, 413, 429, 500, 503, 529];
const breaking = ['Error-Late', 'Bad-Json', 'Cut-Between', 'Cut-Reset', 'Silent-Middle'];
const ways = [
  ['Tool-User', false],
  ['Tool-User', true],
  ['Prompted-Tools', false],
  ['Prompted-Tools', true],
];

await tell({
  models: async () => (await collect(client.models.list({ limit: 5 }))).map((model) => model.id),
  model: () => client.models.retrieve('echo'),
  'model unknown': () => raised(() => client.models.retrieve('no-such-bot-here')),

  whole: async () => {
    const { data, request_id } = await messages
      .create(asking('Echo', { system: 'Be brief.' }))
      .withResponse();
    return { ...data, request_id };
  },
  stream: async () => collect(await messages.create(asking('Echo', { stream: true }))),
  left: async () => {
    for await (const event of await messages.create(asking('Flood', { stream: true })))
      return event.type;
  },
  'stream helper': async () => {
    const pieces = [];
    const thoughts = [];
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const stream = messages
      .stream(asking('Thinker', { thinking }))
      .on('text', (piece) => pieces.push(piece))
      .on('thinking', (piece) => thoughts.push(piece));
    const message = await stream.finalMessage();
    return { pieces, thoughts, text: await stream.finalText(), message };
  },
  'history sent back': async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const { content } = await messages.create(asking('Thinker', { thinking }));
    const again = [...hello, { role: 'assistant', content }, ...hello];
    return messages.create(asking('Thinker', { thinking, messages: again }));
  },
  'tool call': async () => {
    const inputs = [];
    const stream = messages
      .stream(asking('Tool-User', { messages: askWeather, tools: [weather] }))
      .on('inputJson', (piece, snapshot) => inputs.push(snapshot));
    return { message: await stream.finalMessage(), last: inputs.at(-1) };
  },
  ...Object.fromEntries(
    ways.map(([model, stream]) => [
      `tools ${model} ${stream ? 'stream' : 'whole'}`,
      () => runTools(model, stream, askWeather, ['get_weather']),
    ]),
  ),
  ...each('task', ['Agent', 'Prompted-Agent'], (model) => () =>
    runTools(model, true, task, ['write_file', 'read_file']),
  ),
  parse: async () => {
    const output_config = { format: zodOutputFormat(Person) };
    const asked = asking('Json-Writer', { messages: askPerson, output_config });
    return (await messages.parse(asked)).parsed_output;
  },
  'parse stream': async () => {
    const output_config = { format: zodOutputFormat(Person) };
    const asked = asking('Json-Writer', { messages: askPerson, output_config });
    return (await messages.stream(asked).finalMessage()).parsed_output;
  },
  'count tokens': async () => {
    const asked = { model: 'Prompted-Tools', messages: askWeather, tools: [weather] };
    const { input_tokens } = await messages.countTokens(asked);
    return { counted: input_tokens, used: (await messages.create(asking('', asked))).usage };
  },
  'a file': async () => {
    const { files } = client.beta;
    const text = Buffer.from('The cat is called Ada.');
    const file = await toFile(text, 'note.txt', { type: 'text/plain' });
    const kept = await files.upload({ file });
    const listed = (await collect(files.list())).some((one) => one.id === kept.id);
    const content = await (await files.download(kept.id)).text();
    const part = { type: 'document', source: { type: 'file', file_id: kept.id } };
    const asked = asking('Reader', { messages: [{ role: 'user', content: [part] }] });
    const answer = await client.beta.messages.create(asked);
    const deleted = await files.delete(kept.id);
    const gone = await raised(() => files.retrieveMetadata(kept.id));
    return { kept, listed, content, read: answer.content[0].text, deleted, gone };
  },
  batch: () => raised(() => messages.batches.retrieve('msgbatch_1')),
  'no key': () =>
    raised(() =>
      new Anthropic({
        ...settings,
        defaultHeaders: { Authorization: null, 'X-Api-Key': null },
      }).messages.create(asking('Echo')),
    ),
  'no messages': () => raised(() => messages.create(asking('Echo', { messages: undefined }))),
  ...each('refuses', refusing, (status) => () =>
    raised(() => messages.create(asking(`Http-${status}`))),
  ),
  ...each('stream refuses', refusing, (status) => () =>
    raised(() => messages.stream(asking(`Http-${status}`)).finalMessage()),
  ),
  ...each('breaks', breaking, (model) => async () => {
    const pieces = [];
    const stream = messages.stream(asking(model)).on('text', (piece) => pieces.push(piece));
    return { error: await raised(() => stream.finalMessage()), pieces };
  }),
  ...each('tries', ['Fail-Once-Http', 'Http-402', 'Http-429-Retry-After'], (model) => () =>
    tries(model),
  ),
});
