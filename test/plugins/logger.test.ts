import t from 'tap';
import { createLogger } from '../../src/logger.js';

function capture(work: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  work(createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } }));
  return lines.join('');
}

t.test(
  'secrets and personal data do not reach the log, at the top of a line or one level down',
  async (t) => {
    const text = capture((log) => {
      const fields = {
        authorization: 'S1',
        secret: 'S2',
        apiKey: 'S3',
        email: 'S4',
        phone: 'S5',
        name: 'S6',
        note: 'S7',
      };
      log.info({ ...fields, customerId: 'kept' }, 'top');
      log.info({ customer: { ...fields, id: 'kept' }, headers: { cookie: 'S8' } }, 'below');
    });
    t.notMatch(text, /S\d/);
    t.equal(text.match(/kept/g)?.length, 2);
  },
);

t.test(
  'a failure is logged with its cause and its frames, and without the row that it was about',
  async (t) => {
    const cause = Object.assign(new Error('value too long: "private"'), {
      code: '22001',
      where: 'private',
      rows: ['private'],
    });
    const error = Object.assign(new Error('outer', { cause }), {
      detail: 'Key (email)=(private)',
      parameters: ['private'],
    });
    const text = capture((log) => log.error({ err: error }, 'failed'));
    t.notMatch(text, 'private');
    const { err } = JSON.parse(text);
    t.match(err, {
      type: 'Error',
      message: 'outer',
      cause: { message: 'value too long: "…"', code: '22001' },
    });
    t.match(err.stack, /^ {4}at /);
  },
);

t.test('what was thrown need not be an error', async (t) => {
  t.equal(JSON.parse(capture((log) => log.error({ err: 'just text' }, 'failed'))).err, 'just text');
});
