// The embedded server as its operator meets it: starts, restarts and kills of every kind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { hold, Lines, named, newDataDir, pidFileOf, query, serverPid, start } from '../helpers/embedded.js';

const isRoot = process.getuid?.() === 0;
// Making clusters is slow where disk or processors are busy.
t.setTimeout(300_000);

t.test('what was written is there after a restart, and the password is its owner’s alone', async (t) => {
  const dataDir = newDataDir(t);
  const first = await start(t, dataDir);
  await query(first.url, 'CREATE TABLE kept (x int)');
  await query(first.url, 'INSERT INTO kept VALUES (7)');
  await first.stop();
  t.notOk(existsSync(pidFileOf(dataDir)), 'stopped');

  const second = await start(t, dataDir);
  t.same(await query(second.url, 'SELECT x FROM kept'), [{ x: 7 }]);
  t.equal(statSync(join(dataDir, 'postgres.json')).mode & 0o777, 0o600);
  t.equal(new URL(second.url).hostname, '127.0.0.1');
});

t.test('text is compared by code point and cased by Unicode, in UTC, and commits are flushed', async (t) => {
  const { url } = await start(t, newDataDir(t), { fsync: true });
  const [row] = await query(
    url,
    `SELECT lower('ÉΣ') AS low, 'Z' < 'a' AS "byCodePoint", current_setting('timezone') AS tz,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS "commit"`,
  );
  t.same(row, { low: 'éσ', byCodePoint: true, tz: 'UTC', fsync: 'on', commit: 'on' });
});

t.test(
  'the server runs as an unprivileged user when we are root',
  { skip: !isRoot && 'not root' },
  async (t) => {
    const dataDir = newDataDir(t);
    await start(t, dataDir);
    t.not(statSync(`/proc/${serverPid(dataDir)}`).uid, 0);
  },
);

t.test('a folder in use is refused, naming it and the process, and goes on being served', async (t) => {
  const dataDir = newDataDir(t);
  const { url, holder } = await hold(t, dataDir);
  await t.rejects(start(t, dataDir), named([dataDir, `pid ${holder.pid}`]));
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }]);
});

t.test('of many that start at once on a new folder, one serves and the others say who', async (t) => {
  const dataDir = newDataDir(t);
  const results = await Promise.allSettled([1, 2, 3].map(() => start(t, dataDir)));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of results) {
    if (result.status === 'rejected') t.match(result.reason, named([`pid ${process.pid}`]));
  }
});

t.test(
  'killed with SIGKILL, a process takes its server along and loses nothing that was committed',
  async (t) => {
    const dataDir = newDataDir(t);
    const { url, holder } = await hold(t, dataDir);
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS x');
    const witness = new pg.Client(url);
    await witness.connect();
    // The server says goodbye to its sessions in its own shutdown: nobody else does.
    const farewell = new Promise((resolve) => witness.once('error', resolve));
    witness.on('error', () => undefined);
    holder.kill('SIGKILL');
    t.match(await farewell, { code: '57P01' });

    t.same(await query((await start(t, dataDir)).url, 'SELECT x FROM kept'), [{ x: 7 }]);
  },
);

t.test('a server that runs on after its process is stopped before another is started', async (t) => {
  const dataDir = newDataDir(t);
  const { url, holder } = await hold(t, dataDir);
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS x');
  const orphan = serverPid(dataDir);
  // Stopped, it can neither serve nor be shut down by its guard: it is still there at the next start.
  process.kill(orphan, 'SIGSTOP');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const starting = start(t, dataDir);
  process.kill(orphan, 'SIGCONT');

  t.same(await query((await starting).url, 'SELECT x FROM kept'), [{ x: 7 }]);
  t.not(serverPid(dataDir), orphan);
});

t.test('both killed with SIGKILL, the next start recovers', async (t) => {
  const dataDir = newDataDir(t);
  const { url, holder } = await hold(t, dataDir);
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS x');
  holder.kill('SIGSTOP');
  process.kill(serverPid(dataDir), 'SIGKILL');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  t.ok(existsSync(pidFileOf(dataDir)), 'the lock file was left');

  t.same(await query((await start(t, dataDir)).url, 'SELECT x FROM kept'), [{ x: 7 }]);
});

t.test('a lock file with the pid of a stranger is not believed', async (t) => {
  const dataDir = newDataDir(t);
  await (await start(t, dataDir)).stop();
  const stranger = spawn('sleep', ['600']);
  t.teardown(() => stranger.kill('SIGKILL'));
  writeFileSync(pidFileOf(dataDir), `${stranger.pid}\n${join(dataDir, 'postgres', 'cluster')}\n0\n1\n`);

  const { url } = await start(t, dataDir);
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }]);
  t.equal(stranger.exitCode, null);
});

t.test('a server that dies is started again behind the same url', async (t) => {
  const dataDir = newDataDir(t);
  const lines = new Lines();
  const server = await start(t, dataDir, { log: lines.log });
  await query(server.url, 'CREATE TABLE kept AS SELECT 7 AS x');
  const readyAgain = lines.next(/ready to accept connections/);
  // An embedded server alone keeps no process from ending; the service's own listener does.
  const listener = createServer().listen(0, '127.0.0.1');
  t.teardown(() => listener.close());
  process.kill(serverPid(dataDir), 'SIGKILL');
  await readyAgain;

  t.same(await query(server.url, 'SELECT x FROM kept'), [{ x: 7 }]);
  await server.stop();
  t.notOk(existsSync(pidFileOf(dataDir)), 'the new server is the one that stops');
});
