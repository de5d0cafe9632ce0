// OpenAI's SDK for node drives the routes that take or give files, and the small ones; see tell.mjs.

import OpenAI, { toFile } from 'openai';

import { collect, raised, tell, url } from './tell.mjs';

const client = new OpenAI({
  baseURL: `${url}/v1`,
  apiKey: 'any-key',
  maxRetries: 0,
  timeout: 20_000,
});
const { audio, completions, embeddings, files, images, moderations, videos } = client;

const note = () => toFile(Buffer.from('The cat is called Ada.'), 'note.txt', { type: 'text/plain' });
const recording = () => toFile(Buffer.from('RIFF....WAVE'), 'talk.wav', { type: 'audio/wav' });

// The first letters of bytes, and how many there are.
function shown(bytes) {
  const buffer = Buffer.from(bytes);
  return { start: buffer.subarray(0, 12).toString('latin1'), length: buffer.length };
}

async function fetched(link) {
  return shown(await (await fetch(link)).arrayBuffer());
}

async function painting() {
  const { data } = await images.generate({
    model: 'Painter',
    prompt: 'a red dot',
    response_format: 'b64_json',
  });
  return toFile(Buffer.from(data[0].b64_json, 'base64'), 'dot.png', { type: 'image/png' });
}

await tell({
  completion: () => completions.create({ model: 'Echo', prompt: 'Hello there, bridge!' }),
  'completion stream': async () => {
    const asked = { model: 'Echo', prompt: 'Hello there, bridge!', stream: true };
    const chunks = await collect(await completions.create(asked));
    return chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('');
  },
  image: async () => {
    const { data } = await images.generate({ model: 'Painter', prompt: 'a red dot', n: 2 });
    return Promise.all(data.map((image) => fetched(image.url)));
  },
  'image stream': async () => {
    const asked = { model: 'Step-Painter', prompt: 'a red dot', stream: true, partial_images: 2 };
    const events = await collect(await images.generate(asked));
    return events.map((event) => [event.type, shown(Buffer.from(event.b64_json, 'base64'))]);
  },
  'image edit': async () => {
    const image = [await painting(), await painting()];
    const { data } = await images.edit({ model: 'Painter', image, prompt: 'make it blue' });
    return fetched(data[0].url);
  },
  'image variation': async () => {
    const { data } = await images.createVariation({ model: 'Painter', image: await painting() });
    return fetched(data[0].url);
  },
  'image refused': () => raised(() => images.generate({ model: 'Refuser', prompt: 'a red dot' })),
  speech: async () => {
    const asked = { model: 'Speaker', input: 'Hello', voice: 'bass', response_format: 'wav' };
    const response = await audio.speech.create(asked);
    const type = response.headers.get('content-type');
    return { type, ...shown(await response.arrayBuffer()) };
  },
  transcription: async () =>
    (await audio.transcriptions.create({ model: 'Scribe', file: await recording() })).text,
  'transcription stream': async () => {
    const asked = { model: 'Scribe', file: await recording(), stream: true };
    const events = await collect(await audio.transcriptions.create(asked));
    return { types: events.map((event) => event.type), text: events.at(-1).text };
  },
  translation: async () =>
    (await audio.translations.create({ model: 'Scribe', file: await recording() })).text,
  'a file': async () => {
    const kept = await files.create({ file: await note(), purpose: 'user_data' });
    const listed = (await collect(files.list({ limit: 1 }))).map((file) => file.id);
    const content = await (await files.content(kept.id)).text();
    const part = { type: 'file', file: { file_id: kept.id } };
    const answer = await client.chat.completions.create({
      model: 'Reader',
      messages: [{ role: 'user', content: [part] }],
    });
    const { deleted } = await files.delete(kept.id);
    const gone = await raised(() => files.retrieve(kept.id));
    const read = answer.choices[0].message.content;
    return { name: kept.filename, listed: listed.includes(kept.id), content, read, deleted, gone };
  },
  video: async () => {
    const asked = { model: 'Film-Maker', prompt: 'a wave', seconds: '8', size: '720x1280' };
    let film = await videos.create(asked);
    const deadline = Date.now() + 15_000;
    while (['queued', 'in_progress'].includes(film.status) && Date.now() < deadline) {
      await new Promise((wake) => setTimeout(wake, 100));
      film = await videos.retrieve(film.id);
    }
    const content = await videos.downloadContent(film.id);
    const listed = (await collect(videos.list())).some((one) => one.id === film.id);
    const { deleted } = await videos.delete(film.id);
    return { film, listed, content: shown(await content.arrayBuffer()), deleted };
  },
  embedding: async () => {
    const { data } = await embeddings.create({ model: 'wordllama-256', input: ['one', 'two'] });
    return data.map((one) => one.embedding.length);
  },
  moderation: () => moderations.create({ input: 'one' }),
  batch: () => raised(() => client.batches.retrieve('batch_1')),
  'vector store': () => raised(() => client.vectorStores.create({ name: 'x' })),
});
