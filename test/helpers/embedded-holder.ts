// A process that holds an embedded server until it is killed: `node embedded-holder.js <dataDir>`. It writes
// one line, the server's url, when the server answers.
import { startEmbeddedPostgres } from '../../src/db/embedded/index.js';

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const [, , dataDir = ''] = process.argv;
const { url } = await startEmbeddedPostgres({ dataDir, log });
process.stdout.write(`${url}\n`);
process.stdin.resume();
