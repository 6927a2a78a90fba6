// The samples of the README's chapter for receivers, as they stand there.

import { readFileSync } from 'node:fs';

const CHAPTER = /^## Receiving webhooks\n(.*?)^## /ms;

/** The code of each block in that language, in their order. */
export function samplesOf(language: string): string[] {
  const [, chapter = ''] = CHAPTER.exec(readFileSync('README.md', 'utf8')) ?? [];
  const blocks = chapter.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, name, code = '']) => (name === language ? [code] : []));
}
