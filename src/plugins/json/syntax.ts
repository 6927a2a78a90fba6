// Owns finding the place where a text stops being JSON: the engine's own messages give a position for some
// faults only, and quote the text for others. Runs only for bodies that are refused.

export interface SyntaxFault {
  line: number;
  column: number;
  found: string;
}

type State = 'value' | 'first item' | 'first key' | 'key' | 'colon' | 'after value';

/** Where the text stops being JSON. A stack of our own instead of recursion: depth is the sender's choice. */
export function locateSyntaxFault(text: string): SyntaxFault {
  const stack: ('{' | '[')[] = [];
  let state: State = 'value';
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const char = text.charAt(at);
    const closes = char === '}' ? '{' : char === ']' ? '[' : undefined;
    let next = at + 1;
    if (closes !== undefined && closes === stack.at(-1) && mayClose(state, closes)) {
      stack.pop();
      state = 'after value';
    } else if (state === 'after value' && char === ',' && stack.length > 0) {
      state = stack.at(-1) === '{' ? 'key' : 'value';
    } else if (state === 'colon' && char === ':') {
      state = 'value';
    } else if (state === 'key' || state === 'first key') {
      next = endOfString(text, at);
      state = 'colon';
    } else if ((state === 'value' || state === 'first item') && (char === '{' || char === '[')) {
      stack.push(char);
      state = char === '{' ? 'first key' : 'first item';
    } else if (state === 'value' || state === 'first item') {
      next = char === '"' ? endOfString(text, at) : endOfLiteral(text, at);
      state = 'after value';
    } else {
      next = -1 - at;
    }
    if (next < 0) return describe(text, -1 - next);
    at = skipSpace(text, next);
  }
  return describe(text, text.length);
}

function mayClose(state: State, opener: '{' | '['): boolean {
  return state === 'after value' || state === (opener === '{' ? 'first key' : 'first item');
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++;
  return at;
}

const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/** The index after the literal, or -1 - index of the fault. */
function endOfLiteral(text: string, from: number): number {
  LITERAL.lastIndex = from;
  return LITERAL.test(text) ? LITERAL.lastIndex : -1 - from;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The index after the closing quote, or -1 - index of the fault. */
function endOfString(text: string, from: number): number {
  if (text.charAt(from) !== '"') return -1 - from;
  let at = from + 1;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') return at + 1;
    if (char < ' ') return -1 - at;
    if (char === '\\') {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return -1 - at;
      at = ESCAPE.lastIndex;
    } else {
      at++;
    }
  }
  return -1 - text.length;
}

function describe(text: string, at: number): SyntaxFault {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const char = text.charAt(at);
  const found = at >= text.length ? 'the end of the text' : /[!-~]/.test(char) ? `'${char}'` : 'a character';
  return { line, column, found };
}
