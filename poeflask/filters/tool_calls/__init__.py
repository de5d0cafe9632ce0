"""Reads tool calls out of a bot's text while it comes.

What is no call goes on at once; only a tail that could still become the beginning of one waits. A
call is known by its tags, and believed only if it names a tool that was offered and gives
arguments. Read are the form of `tool_text`, and what bots write instead:

    <tool_call>{"name": "x", "arguments": {...}}</tool_call>    also lists, several, in a fence
    <function_calls><invoke name="x"><parameter name="k">v</parameter></invoke></function_calls>
    <function=x><parameter=k>v</parameter></function>
    <tool_call>x <arg_key>k</arg_key><arg_value>v</arg_value></tool_call>
    <tool_code>print(default_api.x(k="v"))</tool_code>
    ```tool_call, ```tool_code, or ```json with {"name": ..., "arguments": ...} at the answer's end
    {"name": ..., "arguments": ...} as the whole answer
    [TOOL_CALLS], <|tool_call_begin|>, <|python_tag|> and other tokens of models' own templates

with any prefix before a tag's name (`ns:invoke`), `-` for `_`, and letters in any case.

Two kinds of body are treated differently, because they break differently. JSON can be broken
anywhere, so it is held until it is whole, then read, mended if need be, and written anew as the
tool's schema wants it. A text between tags can only lack its end, so a long one streams.

Inside of fences, inline code and JSON strings a tag is not a tag.

A reader is a generator that yields where it needs more characters (`source.Steps`), so that each
form is read in straight lines, however the text was cut:

    parser             the answer: what begins at which character, and what if it was none
      prose, fences    text, inline code and fences; which fences may hold calls
      entities         calls whose angle brackets are entities
      lone_json        JSON that no tag calls a call
      container_reader what stands in tags that hold calls, in whichever form
        call_reader    the arguments of a call whose tool is known
          text_reader  a text between tags
      json_reader      JSON, also broken
    reading            what they share: the answer's characters, the events made of it
      source, tags     characters as they come; the tags among them
      writer           one call, held and then streamed
    toolbox, arguments, lenient_json, python_calls: what stands in a call, as values
"""
