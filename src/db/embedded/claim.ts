// Owns the claim that one Perennial process has on a data folder while it runs its server there. Does not
// own the server's own lock file (postmaster.pid).
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './fault.js';
import { findProcess } from './process.js';

/** Two that start in the same instant may both step back: they try again after a random pause. */
const ATTEMPTS_MAX = 5;
const PAUSE_MAX_MS = 150;

export interface Claim {
  release(): void;
}

interface Claimant {
  file: string;
  pid: number;
  startToken: string;
}

let claimsMade = 0;

/**
 * Claims the folder, or fails naming the live process that has it. A claim is a file named after its
 * process; whoever has made one looks for those of others and steps back when one of them lives. A name is
 * never used twice, so a dead process's file can be removed by anybody at any time: a single lock file that
 * is taken over when stale has a window in which two take it.
 */
export async function claimFolder(dataDir: string): Promise<Claim> {
  for (let attempt = 1; ; attempt += 1) {
    const own = makeClaim(dataDir);
    const rival = listClaims(dataDir).find((claim) => claim.file !== own && isLive(claim));
    if (rival === undefined) {
      removeDeadClaims(dataDir);
      return { release: () => rmSync(join(dataDir, own), { force: true }) };
    }
    rmSync(join(dataDir, own), { force: true });
    if (attempt >= ATTEMPTS_MAX || rival.pid === process.pid) throw takenError(dataDir, rival.pid);
    await delay(Math.random() * PAUSE_MAX_MS);
  }
}

function makeClaim(dataDir: string): string {
  const self = findProcess(process.pid);
  if (self === undefined) throw new EmbeddedPostgresError('cannot read the own process from the system');
  claimsMade += 1;
  const file = `owner.${process.pid}.${self.startToken}.${claimsMade}`;
  closeSync(openSync(join(dataDir, file), 'wx', 0o600));
  return file;
}

function listClaims(dataDir: string): Claimant[] {
  return readdirSync(dataDir).flatMap((file) => {
    const [, pid, startToken] = /^owner\.(\d+)\.([0-9a-f]+)\.\d+$/.exec(file) ?? [];
    if (pid === undefined || startToken === undefined) return [];
    return [{ file, pid: Number(pid), startToken }];
  });
}

function isLive(claim: Claimant): boolean {
  return findProcess(claim.pid)?.startToken === claim.startToken;
}

function removeDeadClaims(dataDir: string): void {
  for (const claim of listClaims(dataDir)) {
    if (!isLive(claim)) rmSync(join(dataDir, claim.file), { force: true });
  }
}

function takenError(dataDir: string, pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `the data folder ${dataDir} is in use by another Perennial process (pid ${pid}): ` +
      'stop that one, or give this one its own DATA_DIR, or share one Postgres by DATABASE_URL',
  );
}
