// Owns noticing a name that an object has twice: the engine keeps the last of them in silence, and what the
// sender meant is anyone's guess. Does not own what else is refused in a document (inspect.ts).

import { pointerToken } from '../../api/pointer.js';

/** A string and what follows it: a name where that is a colon. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** How many members the objects of a text have in all; of a valid text only. */
export function countMembers(text: string): number {
  let members = 0;
  STRING.lastIndex = 0;
  for (let match = STRING.exec(text); match !== null; match = STRING.exec(text)) {
    if (match[1] !== undefined) members += 1;
  }
  return members;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

interface Frame {
  names: Set<string> | null;
  /** Of the member or item that is being read. */
  name: string | number;
}

/** The pointer of the first name that is there twice; undefined where there is none. Of a valid text only. */
export function findDuplicate(text: string): string | undefined {
  const frames: Frame[] = [];
  let isName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    if (token === '{' || token === '[') {
      frames.push(token === '{' ? { names: new Set(), name: '' } : { names: null, name: 0 });
      isName = token === '{';
    } else if (token === '}' || token === ']') {
      frames.pop();
      isName = false;
    } else if (token === ',') {
      if (typeof frame?.name === 'number') frame.name += 1;
      isName = frame?.names !== null;
    } else if (token !== ':' && isName && frame?.names != null) {
      frame.name = JSON.parse(token) as string;
      if (frame.names.has(frame.name)) return pointerOf(frames);
      frame.names.add(frame.name);
      isName = false;
    }
  }
  return undefined;
}

function pointerOf(frames: readonly Frame[]): string {
  return frames.map(({ name }) => `/${pointerToken(String(name))}`).join('');
}
