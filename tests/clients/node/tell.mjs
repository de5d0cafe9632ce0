// Runs named questions one after another and prints, as one JSON object, what came of each.

export const url = process.env.POEFLASK_URL;

export const hello = [{ role: 'user', content: 'Hello there, bridge!' }];
export const askWeather = [{ role: 'user', content: 'What is the weather in Paris?' }];
export const askPerson = [{ role: 'user', content: 'Tell me of Ada, who is 36.' }];
export const task = [
  { role: 'user', content: 'Create hello.txt with the content "good morning" and read it back.' },
];

// A folder of files in memory, and the names of the tools that were called.
export function desk() {
  const files = {};
  const called = [];
  return {
    files,
    called,
    write_file: ({ path, content }) => {
      called.push('write_file');
      files[path] = content;
      return 'written';
    },
    read_file: ({ path }) => {
      called.push('read_file');
      return files[path];
    },
    get_weather: ({ city }) => {
      called.push(`get_weather ${city}`);
      return 'sunny, 21 degrees';
    },
  };
}

// A fetch that remembers when it was called.
export function counting() {
  const times = [];
  const counted = (...request) => {
    times.push(performance.now());
    return fetch(...request);
  };
  return { times, fetch: counted };
}

export async function collect(iterable) {
  const all = [];
  for await (const one of iterable) all.push(one);
  return all;
}

// The same question to each of several, called by what it is and whom it goes to.
export function each(name, all, question) {
  return Object.fromEntries(all.map((one) => [`${name} ${one}`, question(one)]));
}

export async function raised(ask) {
  try {
    await ask();
  } catch (error) {
    return described(error);
  }
  return null;
}

// What a program learns of an error.
function described(error) {
  const { status, message } = error;
  return {
    class: error.constructor.name,
    status,
    type: error.type,
    code: error.code,
    param: error.param,
    message,
    request_id: error.requestID,
  };
}

export async function tell(questions) {
  const told = {};
  for (const [name, ask] of Object.entries(questions)) {
    try {
      told[name] = { value: await ask() };
    } catch (error) {
      told[name] = { failed: String(error.stack) };
    }
  }
  console.log(JSON.stringify(told));
}
