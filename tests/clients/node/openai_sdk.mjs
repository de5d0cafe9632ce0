// OpenAI's SDK for node drives every route that it knows; see tell.mjs.

import OpenAI from 'openai';
import { ResponsesToolRunner, runnerFunction } from 'openai/helpers/responses-tool-runner';
import {
  zodFunction,
  zodResponseFormat,
  zodResponsesFunction,
  zodTextFormat,
} from 'openai/helpers/zod';
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

const settings = { baseURL: `${url}/v1`, apiKey: 'any-key', maxRetries: 0, timeout: 20_000 };
const client = new OpenAI(settings);
const { chat, responses, conversations } = client;

const Person = z.object({ name: z.string(), age: z.int() });
const schemas = {
  write_file: z.object({ path: z.string(), content: z.string() }),
  read_file: z.object({ path: z.string() }),
  get_weather: z.object({ city: z.string() }),
};

function tools(make, names, at) {
  return names.map((name) => {
    const does = { name, parameters: schemas[name], function: at[name] };
    return make({ ...does, description: `Does ${name.replace('_', ' ')}.` });
  });
}

async function chatTools(model, stream, messages, names) {
  const at = desk();
  const runner = chat.completions.runTools({
    model,
    stream,
    messages,
    tools: tools(zodFunction, names, at),
  });
  const content = await runner.finalContent();
  return { content, called: at.called, files: at.files, usage: await runner.totalUsage() };
}

async function responsesTools(model, input, names, options) {
  const at = desk();
  const functions = tools(zodResponsesFunction, names, at).map(runnerFunction);
  const runner = new ResponsesToolRunner({ functions });
  const last = await runner.run(client, { model, input }, options);
  return { content: last.output_text, called: at.called, files: at.files };
}

async function tries(model) {
  const counted = counting();
  const insisting = new OpenAI({ ...settings, maxRetries: 1, fetch: counted.fetch });
  const error = await raised(() => insisting.chat.completions.create({ model, messages: hello }));
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
  models: async () => (await collect(client.models.list())).map((model) => model.id),
  model: () => client.models.retrieve('echo'),
  'model unknown': () => raised(() => client.models.retrieve('no-such-bot-here')),

  'chat whole': async () => {
    const { data, request_id } = await chat.completions
      .create({ model: 'Echo', messages: hello })
      .withResponse();
    return { ...data, request_id };
  },
  'chat two': () => chat.completions.create({ model: 'Echo', messages: hello, n: 2 }),
  'chat stream': async () =>
    collect(
      await chat.completions.create({
        model: 'Echo',
        messages: hello,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  'chat left': async () => {
    const stream = await chat.completions.create({ model: 'Flood', messages: hello, stream: true });
    for await (const chunk of stream) return chunk.object;
  },
  'chat helper': async () => {
    const pieces = [];
    const stream = chat.completions
      .stream({ model: 'Echo', messages: hello, stream_options: { include_usage: true } })
      .on('content', (piece) => pieces.push(piece));
    const completion = await stream.finalChatCompletion();
    return { pieces, completion, usage: await stream.totalUsage() };
  },
  ...Object.fromEntries(
    ways.map(([model, stream]) => [
      `chat tools ${model} ${stream ? 'stream' : 'whole'}`,
      () => chatTools(model, stream, askWeather, ['get_weather']),
    ]),
  ),
  ...each('chat task', ['Agent', 'Prompted-Agent'], (model) => () =>
    chatTools(model, true, task, ['write_file', 'read_file']),
  ),
  'chat parse': async () => {
    const format = zodResponseFormat(Person, 'person');
    const asked = { model: 'Json-Writer', messages: askPerson, response_format: format };
    return (await chat.completions.parse(asked)).choices[0].message.parsed;
  },
  'chat parse stream': async () => {
    const format = zodResponseFormat(Person, 'person');
    const asked = { model: 'Json-Writer', messages: askPerson, response_format: format };
    return (await chat.completions.stream(asked).finalChatCompletion()).choices[0].message.parsed;
  },
  'chat no model': () => raised(() => chat.completions.create({ messages: hello })),
  'chat wrong field': () =>
    raised(() => chat.completions.create({ model: 'Echo', messages: hello, temperature: 'hot' })),
  'chat no key': () => {
    const keyless = new OpenAI({ ...settings, defaultHeaders: { Authorization: null } });
    return raised(() => keyless.chat.completions.create({ model: 'Echo', messages: hello }));
  },
  ...each('chat refuses', refusing, (status) => () =>
    raised(() => chat.completions.create({ model: `Http-${status}`, messages: hello })),
  ),
  ...each('chat stream refuses', refusing, (status) => () => {
    const stream = chat.completions.stream({ model: `Http-${status}`, messages: hello });
    return raised(() => stream.finalMessage());
  }),
  ...each('chat breaks', breaking, (model) => async () => {
    const pieces = [];
    const stream = chat.completions.stream({ model, messages: hello });
    stream.on('content', (piece) => pieces.push(piece));
    return { error: await raised(() => stream.finalMessage()), pieces };
  }),
  ...each('tries', ['Fail-Once-Http', 'Http-402', 'Http-429-Retry-After'], (model) => () =>
    tries(model),
  ),

  'responses whole': () => responses.create({ model: 'Echo', input: 'Hello there, bridge!' }),
  'responses stream': async () =>
    collect(await responses.create({ model: 'Echo', input: hello, stream: true })),
  'responses helper': async () => {
    const pieces = [];
    const stream = responses
      .stream({ model: 'Thinker', input: hello, reasoning: { summary: 'auto' } })
      .on('response.output_text.delta', (event) => pieces.push(event.delta));
    return { pieces, response: await stream.finalResponse() };
  },
  'responses parse': async () => {
    const text = { format: zodTextFormat(Person, 'person') };
    return (await responses.parse({ model: 'Json-Writer', input: askPerson, text })).output_parsed;
  },
  'responses parse stream': async () => {
    const text = { format: zodTextFormat(Person, 'person') };
    const stream = responses.stream({ model: 'Json-Writer', input: askPerson, text });
    return (await stream.finalResponse()).output_parsed;
  },
  ...Object.fromEntries(
    ways.map(([model, stream]) => [
      `responses tools ${model} ${stream ? 'stream' : 'whole'}`,
      () => responsesTools(model, askWeather, ['get_weather'], { stream }),
    ]),
  ),
  ...each('responses task', ['Agent', 'Prompted-Agent'], (model) => () =>
    responsesTools(model, task, ['write_file', 'read_file'], { stream: true, eager: true }),
  ),
  'responses chained': async () => {
    const first = await responses.create({ model: 'Counter', input: 'One' });
    const second = await responses.create({
      model: 'Counter',
      input: 'Two',
      previous_response_id: first.id,
    });
    const items = await collect(responses.inputItems.list(second.id));
    const kept = await responses.retrieve(second.id);
    await responses.delete(second.id);
    const gone = await raised(() => responses.retrieve(second.id));
    return { text: second.output_text, kept: kept.id === second.id, items, gone };
  },
  'responses unchained': async () => {
    const first = await responses.create({ model: 'Counter', input: 'One', store: false });
    const asked = { model: 'Counter', input: 'Two', previous_response_id: first.id };
    return raised(() => responses.create(asked));
  },
  'responses background': async () => {
    const poe = { words: 5, interval_ms: 60 };
    const asked = { model: 'Slow-Talker', input: hello, background: true, poe };
    let response = await responses.create(asked);
    const statuses = [response.status];
    const deadline = Date.now() + 15_000;
    while (['queued', 'in_progress'].includes(response.status) && Date.now() < deadline) {
      await new Promise((wake) => setTimeout(wake, 100));
      response = await responses.retrieve(response.id);
      statuses.push(response.status);
    }
    return { statuses, text: response.output_text };
  },
  'responses cancelled': async () => {
    const asked = { model: 'Silent-Middle', input: hello, background: true };
    const { id } = await responses.create(asked);
    return (await responses.cancel(id)).status;
  },
  'responses input tokens': () =>
    responses.inputTokens.count({ model: 'Echo', input: 'Hello there, bridge!' }),
  'responses compact': () => raised(() => responses.compact({ model: 'Echo', input: hello })),
  conversation: async () => {
    const { id } = await conversations.create({ metadata: { topic: 'numbers' } });
    await conversations.items.create(id, {
      items: [{ type: 'message', role: 'user', content: 'Zero' }],
    });
    await responses.create({ model: 'Counter', input: 'One', conversation: id });
    const second = await responses.create({ model: 'Counter', input: 'Two', conversation: id });
    const items = await collect(conversations.items.list(id, { order: 'asc' }));
    const { metadata } = await conversations.retrieve(id);
    const { deleted } = await conversations.delete(id);
    return { text: second.output_text, roles: items.map((item) => item.role), metadata, deleted };
  },
  ...each('responses refuses', refusing, (status) => () =>
    raised(() => responses.create({ model: `Http-${status}`, input: hello })),
  ),
  ...each('responses stream refuses', refusing, (status) => () =>
    raised(() => responses.stream({ model: `Http-${status}`, input: hello }).finalResponse()),
  ),
  ...each('responses breaks', breaking, (model) => async () => {
    const stream = responses.stream({ model, input: hello });
    const last = (await collect(stream)).at(-1);
    return { last: last.type, response: await stream.finalResponse() };
  }),
});
