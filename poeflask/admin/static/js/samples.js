// The same request as code in three languages. The reader's key is never part of it.

const VARIABLE = "POEFLASK_KEY";
const KNOWN = new Set(["model", "messages", "stream", "stream_options", "temperature", "max_tokens", "tools"]);

// The request as "curl", "python" or "javascript"; the key is written out only if it is `exampleKey`.
export function sample(language, { base, body, key, exampleKey }) {
  const shown = key && key === exampleKey ? key : "";
  return WRITERS[language](base, body, shown);
}

const WRITERS = {
  curl(base, body, key) {
    const json = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
    return [
      `curl -N ${quoted(`${base}/v1/chat/completions`)} \\`,
      `  -H "Authorization: Bearer ${key || `$${VARIABLE}`}" \\`,
      "  -H 'Content-Type: application/json' \\",
      `  -d '${json}'`,
    ].join("\n");
  },

  python(base, body, key) {
    const own = Object.entries(body).filter(([name]) => KNOWN.has(name));
    const more = Object.entries(body).filter(([name]) => !KNOWN.has(name));
    const fields = own.map(([name, value]) => `    ${name}=${python(value, 1)},`);
    if (more.length) fields.push(`    extra_body=${python(Object.fromEntries(more), 1)},`);
    const secret = key ? JSON.stringify(key) : `os.environ["${VARIABLE}"]`;
    return [
      ...(key ? [] : ["import os", ""]),
      "from openai import OpenAI",
      "",
      `client = OpenAI(base_url=${JSON.stringify(`${base}/v1`)}, api_key=${secret})`,
      `${body.stream ? "stream" : "answer"} = client.chat.completions.create(`,
      ...fields,
      ")",
      ...(body.stream
        ? ["for chunk in stream:", "    if chunk.choices:", '        print(chunk.choices[0].delta.content or "", end="", flush=True)']
        : ["print(answer.choices[0].message.content)"]),
    ].join("\n");
  },

  javascript(base, body, key) {
    const secret = key ? JSON.stringify(key) : `process.env.${VARIABLE}`;
    return [
      'import OpenAI from "openai";',
      "",
      `const client = new OpenAI({ baseURL: ${JSON.stringify(`${base}/v1`)}, apiKey: ${secret} });`,
      `const ${body.stream ? "stream" : "answer"} = await client.chat.completions.create(${JSON.stringify(body, null, 2)});`,
      ...(body.stream
        ? ["for await (const chunk of stream) {", '  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");', "}"]
        : ["console.log(answer.choices[0].message.content);"]),
    ].join("\n");
  },
};

// A word for the shell.
function quoted(word) {
  return /^[\w:/.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// A JSON value as Python writes it.
function python(value, depth) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const pad = "    ".repeat(depth + 1);
  const lines = Array.isArray(value)
    ? value.map((item) => `${pad}${python(item, depth + 1)},`)
    : Object.entries(value).map(([name, item]) => `${pad}${JSON.stringify(name)}: ${python(item, depth + 1)},`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return lines.length ? `${open}\n${lines.join("\n")}\n${"    ".repeat(depth)}${close}` : open + close;
}
