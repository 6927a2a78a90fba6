import t from 'tap';
import { CURRENCIES } from '../../src/api/currencies.js';
import { PATTERN_WORDS, PATTERNS } from '../../src/api/patterns.js';

t.test('currencies are listed once each, in order, and only those that have a minor unit', async (t) => {
  t.same(CURRENCIES, [...new Set(CURRENCIES)].sort());
  t.ok(CURRENCIES.every((code) => /^[A-Z]{3}$/.test(code)));
  for (const code of ['EUR', 'USD', 'CNY', 'JPY', 'BHD', 'XAF', 'CLF', 'ZWG', 'XCG', 'HRK']) {
    t.ok((CURRENCIES as readonly string[]).includes(code), code);
  }
  for (const code of ['XAU', 'XAG', 'XDR', 'XTS', 'XXX', 'BTC', 'DEM']) {
    t.notOk((CURRENCIES as readonly string[]).includes(code), code);
  }
});

t.test('every shared pattern can be told in words', async (t) => {
  for (const [name, pattern] of Object.entries(PATTERNS)) t.type(PATTERN_WORDS.get(pattern), 'string', name);
});

t.test('text of one line has no control characters, text of several has tabs and line breaks', async (t) => {
  const oneLine = new RegExp(PATTERNS.oneLine, 'u');
  const manyLines = new RegExp(PATTERNS.manyLines, 'u');
  for (const text of ['', 'Zoë 客户 🙂', 'a\'b"c\\d']) t.ok(oneLine.test(text) && manyLines.test(text), text);
  for (const text of ['a\nb', 'a\r\nb', 'a\tb'])
    t.ok(!oneLine.test(text) && manyLines.test(text), JSON.stringify(text));
  for (const text of ['a\u0000', 'a\u001b[0m', 'a\u007f', 'a\u0085']) {
    t.ok(!oneLine.test(text) && !manyLines.test(text), JSON.stringify(text));
  }
});
