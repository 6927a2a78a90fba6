// Owns openapi/openapi.json: writes it from the routes as they are, or with --check says where it differs.
// Needs no database: the application is built, and nothing is asked of it but its document.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../src/app.js';
import { readConfig } from '../src/config.js';
import { openDatabase } from '../src/db/database.js';
import { createLogger } from '../src/logger.js';
import { buildServices } from '../src/services.js';

const FILE = fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url));

async function generate(): Promise<string> {
  const logger = createLogger({ level: 'silent' });
  const clock = () => new Date(0);
  // The pool connects when it is first asked for a connection, which does not happen here.
  const database = openDatabase({ url: 'postgres://nobody@localhost/none', onError: () => undefined });
  const config = readConfig({});
  const services = buildServices({ database, clock, config, logger });
  const app = await buildApp({ config, database, clock, logger, services });
  const document = app.openapi();
  await app.close();
  await database.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The first lines that differ, enough to see what was changed without being generated anew. */
function difference(committed: string, generated: string): string {
  const before = committed.split('\n');
  const after = generated.split('\n');
  const at = after.findIndex((line, index) => line !== before[index]);
  const show = (mark: string, lines: string[]) => lines.slice(at, at + 5).map((line) => `${mark} ${line}`);
  return [`from line ${at + 1}:`, ...show('-', before), ...show('+', after)].join('\n');
}

function committedText(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}

const generated = await generate();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, generated);
  console.log(`wrote ${FILE}`);
} else if (committedText() !== generated) {
  console.error(`openapi/openapi.json is not what the routes say, ${difference(committedText(), generated)}`);
  console.error('Run `npm run openapi` and commit the result.');
  process.exitCode = 1;
}
