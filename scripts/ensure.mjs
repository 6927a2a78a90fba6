// Owns making a clone runnable before any of its commands: the packages of package-lock.json, and dist/ as
// the sources are now. Uses Node alone, because nothing else is there yet, and writes to stderr alone,
// because what follows may print one JSON object. Does not own what the commands do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [20, 19];
const LOCK_POLL_MS = 200;
const SOURCE_DIRS = ['src', 'scripts', 'test'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const installStamp = at('node_modules', '.perennial-installed');
const buildStamp = at('dist', '.built');

try {
  checkNode();
  if (!isProductionInstall() && !isReady()) prepare();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}

function prepare() {
  const unlock = lock();
  try {
    // Whoever held the lock before may have done the work.
    if (!isInstalled()) install();
    if (!isBuilt()) build();
  } finally {
    unlock();
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Error(`Perennial needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}.`);
}

/** An image or an install without devDependencies: what it holds was built elsewhere and is complete. */
function isProductionInstall() {
  if (!existsSync(at('dist', 'src', 'server.js'))) return false;
  return (
    !existsSync(at('src')) ||
    (existsSync(at('node_modules')) && !existsSync(at('node_modules', 'typescript')))
  );
}

function isReady() {
  return isInstalled() && isBuilt();
}

function isInstalled() {
  if (readText(installStamp) === lockHash()) return true;
  if (!matchesLock()) return false;
  writeFileSync(installStamp, lockHash());
  return true;
}

/** Installed by hand: npm's own record of node_modules then says the same as the lock file. */
function matchesLock() {
  const record = readText(at('node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  const installed = JSON.parse(record).packages;
  const wanted = JSON.parse(readText(at('package-lock.json')) ?? '{}').packages ?? {};
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

function install() {
  say('installing packages…');
  // Install scripts are left out whatever npm's own rule about them: nothing here relies on one.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const npmCli = process.env.npm_execpath;
  const isNpm = npmCli !== undefined && /npm-cli\.[cm]?js$/.test(npmCli);
  const [command, prefix] = isNpm ? [process.execPath, [npmCli]] : ['npm', []];
  run(command, [...prefix, ...args], 'npm ci failed: the packages could not be installed.');
  writeFileSync(installStamp, lockHash());
}

function isBuilt() {
  return readText(buildStamp) === sourceHash() && sources().every((path) => existsSync(outputOf(path)));
}

function build() {
  say('building…');
  const hash = sourceHash();
  removeStaleOutputs();
  // Incremental builds trust their record of what they wrote, not the folder.
  if (sources().some((path) => !existsSync(outputOf(path))))
    rmSync(at('dist', '.tsbuildinfo'), { force: true });
  rmSync(buildStamp, { force: true });
  run(process.execPath, [tscPath(), '-p', at('tsconfig.json')], 'The build failed.');
  mkdirSync(at('dist'), { recursive: true });
  writeFileSync(buildStamp, hash);
}

function tscPath() {
  const dir = at('node_modules', 'typescript');
  return join(dir, JSON.parse(readText(join(dir, 'package.json')) ?? '{}').bin.tsc);
}

/** A test or module whose source is gone must not go on running from dist/. */
function removeStaleOutputs() {
  const wanted = new Set(sources().map(outputOf));
  for (const dir of SOURCE_DIRS) {
    for (const path of walk(at('dist', dir))) {
      const output = path.replace(/\.map$/, '');
      if (output.endsWith('.js') && !wanted.has(output)) rmSync(path);
    }
  }
}

function sources() {
  return SOURCE_DIRS.flatMap((dir) => walk(at(dir))).filter((path) => /(?<!\.d)\.ts$/.test(path));
}

function outputOf(source) {
  return at('dist', relative(root, source).replace(/\.ts$/, '.js'));
}

/** Sizes and times, not contents: this runs before every command. */
function sourceHash() {
  const hash = createHash('sha256').update(lockHash());
  for (const path of [at('tsconfig.json'), ...SOURCE_DIRS.flatMap((dir) => walk(at(dir)))]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function lockHash() {
  return createHash('sha256')
    .update(readText(at('package-lock.json')) ?? '')
    .digest('hex');
}

function walk(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** One run at a time for a clone; kept outside of it, since node_modules itself is replaced meanwhile. */
function lock() {
  const name = createHash('sha256').update(`${userInfo().uid} ${root}`).digest('hex').slice(0, 16);
  const path = join(tmpdir(), `perennial-${name}.lock`);
  // Linked into place: a lock is never seen without the number of its holder.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  let told = 0;
  while (!tryLink(own, path)) {
    const holder = Number(readText(path));
    if (holder > 0 && !isAlive(holder)) {
      rmSync(path, { force: true });
    } else {
      if (holder > 0 && told !== holder) say(`waiting for process ${holder}, which prepares this folder…`);
      told = holder;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
  }
  rmSync(own);
  return () => rmSync(path, { force: true });
}

function tryLink(own, path) {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, complaint) {
  // What it prints goes to our stderr. npm is a script on Windows, which only a shell can start.
  const shell = process.platform === 'win32' && command === 'npm';
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (result.status === 0) return;
  throw new Error(result.error ? `${complaint} (${result.error.message})` : complaint);
}

function say(text) {
  process.stderr.write(`perennial: ${text}\n`);
}
