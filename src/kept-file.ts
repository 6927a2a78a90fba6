// Owns small secrets that the service makes once and keeps in DATA_DIR for itself alone. Does not own what
// they are (bootstrap.ts, secrets-key.ts).

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from './start-error.js';

/** Undefined where there is no such file; throws StartError where it cannot be read. */
export async function readKept(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartError(`${file} cannot be read: ${error.message}`, error);
  });
  return text?.trim();
}

/** Mode 0600; whole or not at all, whenever the process ends. */
export async function keep(file: string, text: string): Promise<void> {
  const partialFile = `${file}.partial`;
  await mkdir(dirname(file), { recursive: true });
  await rm(partialFile, { force: true });
  const handle = await open(partialFile, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partialFile, file);
}
