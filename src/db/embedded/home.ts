// Owns where an embedded server's files lie and its password: `postgres.json` in the data folder, and a
// home that belongs to the server's account. Does not own what is inside the cluster.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Account, serverAccount } from './account.js';
import { runAs } from './child.js';
import { EmbeddedPostgresError, messageOf } from './fault.js';

/** Homes of servers whose data folder their account cannot reach, such as one under /root. */
const REACHABLE_DIR = '/var/lib/perennial';

export interface Home {
  dir: string;
  clusterDir: string;
  account: Account | undefined;
  password: string;
  /** True when the files lie outside of the data folder. */
  isElsewhere: boolean;
}

interface Settings {
  password: string;
  /** Set when the home lies elsewhere; relative homes move with the data folder. */
  homeDir?: string;
}

/** Makes the data folder if need be; its path comes back without links, so that two names are one folder. */
export function openDataDir(dataDir: string): string {
  try {
    // Root's folder must let the server's account pass, whatever the umask. What is secret in it is closed
    // file by file.
    makeDir(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
    const probe = join(dataDir, `probe.${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
    return realpathSync(dataDir);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the data folder ${dataDir} cannot be written (${messageOf(error)}): set DATA_DIR to a folder of this user's, or set DATABASE_URL`,
    );
  }
}

/** Finds or makes the home. The caller holds the claim on the data folder. */
export function openHome(dataDir: string): Home {
  const settings = readSettings(dataDir) ?? createSettings(dataDir);
  const dir = settings.homeDir ?? join(dataDir, 'postgres');
  const clusterDir = join(dir, 'cluster');
  const account = serverAccount(dataDir, clusterDir);
  makeHomeDir(dir, account);
  if (account && existsSync(clusterDir) && statSync(clusterDir).uid === 0) giveAway(clusterDir, account);
  if (!isReachable(dir, account)) {
    throw new EmbeddedPostgresError(
      `the database in ${dir} cannot be reached by user ${account?.name}, as whom the server runs: ` +
        'move the data folder, or give that user passage to it',
    );
  }
  return {
    dir,
    clusterDir,
    account,
    password: settings.password,
    isElsewhere: settings.homeDir !== undefined,
  };
}

function readSettings(dataDir: string): Settings | undefined {
  const file = join(dataDir, 'postgres.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Settings;
  if (!existsSync(join(dataDir, 'postgres', 'cluster'))) return undefined;
  throw new EmbeddedPostgresError(`${file} is missing: it holds the password of the database in ${dataDir}`);
}

function createSettings(dataDir: string): Settings {
  const password = randomBytes(24).toString('hex');
  const account = serverAccount(dataDir, join(dataDir, 'postgres', 'cluster'));
  // A random name, not one made from the data folder's: whoever deletes that folder starts anew.
  const homeDir = join(REACHABLE_DIR, randomBytes(6).toString('hex'));
  const settings = isReachable(dataDir, account) ? { password } : { password, homeDir };
  const partial = join(dataDir, 'postgres.json.partial');
  writeFileSync(partial, `${JSON.stringify(settings)}\n`, { mode: 0o600, flush: true });
  // Root writes into an ordinary user's folder: that user is to be able to read it the next time.
  const owner = statSync(dataDir);
  if (process.getuid?.() === 0) chownSync(partial, owner.uid, owner.gid);
  renameSync(partial, join(dataDir, 'postgres.json'));
  return settings;
}

function makeHomeDir(dir: string, account: Account | undefined): void {
  try {
    makeDir(dirname(dir), 0o755);
    makeDir(dir, 0o700);
    // The files in it keep their owner; the folder itself may be left from an attempt under another.
    if (account) chownSync(dir, account.uid, account.gid);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no place for the database (${messageOf(error)}): ` +
        `set DATA_DIR to a folder that user ${account?.name ?? 'running this'} can reach`,
    );
  }
}

/**
 * Makes a folder and those above it; the mode is the last one's, whatever the umask. mkdir's own `recursive`
 * never returns where parents exist and children cannot, as under /proc.
 */
function makeDir(dir: string, mode: number): void {
  if (existsSync(dir)) return;
  const parent = dirname(dir);
  if (!existsSync(parent)) makeDir(parent, 0o755);
  mkdirSync(dir);
  chmodSync(dir, mode);
}

/** Asked of the system by going there as that account: modes alone do not tell of access lists and mounts. */
function isReachable(dir: string, account: Account | undefined): boolean {
  return account === undefined || runAs(account, '/bin/sh', ['-c', 'cd "$0"', dir]).ok;
}

/** A cluster of root's, e.g. restored from an archive: Postgres insists on owning its files. */
function giveAway(path: string, account: Account): void {
  lchownSync(path, account.uid, account.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const entry of readdirSync(path)) giveAway(join(path, entry), account);
}
