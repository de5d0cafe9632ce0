// Asks poeflask's API as any client would, and reads its answers. Knows nothing of the page.

// The API refused or failed; the message is its own.
export class ApiError extends Error {}

// The models that a key can use; raises ApiError.
export async function models(base, key, signal) {
  const response = await fetch(`${base}/v1/models`, { headers: { Authorization: `Bearer ${key}` }, signal });
  if (!response.ok) throw new ApiError(await sentence(response));
  return (await response.json()).data;
}

// The chunks of an answer as they come; a whole answer comes as one chunk. Raises ApiError.
export async function* answer(base, key, body, signal) {
  const response = await fetch(`${base}/v1/chat/completions`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new ApiError(await sentence(response));
  if (!body.stream) {
    yield asChunk(await response.json());
    return;
  }
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(chunk.error.message);
    yield chunk;
  }
  throw new ApiError("");
}

async function sentence(response) {
  const words = await response.text();
  try {
    return JSON.parse(words).error.message;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

// The data of server-sent events.
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  }
}

function asChunk(whole) {
  const choices = whole.choices.map((choice) => ({
    ...choice,
    delta: {
      ...choice.message,
      tool_calls: choice.message.tool_calls?.map((call, index) => ({ index, ...call })),
    },
  }));
  return { ...whole, choices };
}
