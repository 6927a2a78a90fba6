// Owns the measurement of what a production install takes on the disk, without the optional embedded server: the
// packages, and the files of the service itself.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { throwawayDir } from '../../throwaway-postgres.js';
import type { Bench, Group } from '../group.js';
import { atMost, type Row } from '../rows.js';

const CEILING_MB = 80;
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const OURS = ['dist/src', 'migrations'];

export const install: Group = { name: 'install', run };

async function run({ lifetime, say }: Bench): Promise<Row[]> {
  const dir = throwawayDir(lifetime, 'install');
  mkdirSync(dir);
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, file), join(dir, file));
  say('npm ci, without development and optional packages');
  const args = ['ci', '--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, error, stderr } = spawnSync('npm', args, { cwd: dir, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ci failed: ${error?.message ?? stderr}`);
  const bytes = [dir, ...OURS.map((path) => join(ROOT, path))].reduce((sum, path) => sum + sizeOf(path), 0);
  const name = 'production install without the embedded server';
  return [atMost({ name, value: bytes / 1_000_000, unit: 'MB', budget: CEILING_MB })];
}

function sizeOf(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
