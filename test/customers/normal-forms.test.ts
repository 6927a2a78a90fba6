import t from 'tap';
import { normalEmail, normalPhone } from '../../src/customers/normal-forms.js';

t.test('an e-mail address is trimmed and put in lower case', async (t) => {
  t.equal(normalEmail('  Ann.Lee+Shop@Example.COM '), 'ann.lee+shop@example.com');
  t.equal(normalEmail('张伟@例子.中国'), '张伟@例子.中国');
  // One letter or a letter with a combining accent: the same address to whoever types it.
  t.equal(normalEmail('jose\u0301@example.com'), normalEmail('jos\u00e9@example.com'));
});

t.test('what is not an e-mail address is refused', async (t) => {
  const wrong = [
    '',
    'ann',
    'ann@',
    '@example.com',
    'ann@localhost',
    'ann@@example.com',
    'ann lee@example.com',
    '.ann@example.com',
    'ann..lee@example.com',
    'ann@-example.com',
    'ann@example-.com',
    'ann@example..com',
    'Ann <ann@example.com>',
    'ann@example.com, bob@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ann@${'a'.repeat(64)}.com`,
    `ann@${'abcdefgh.'.repeat(30)}com`,
  ];
  for (const given of wrong) t.equal(normalEmail(given), undefined, given);
});

t.test('a phone number is put in E.164', async (t) => {
  const cases: [given: string, country: string | null, normal: string][] = [
    ['+49 (0)30 901820', null, '+4930901820'],
    ['0171 1234567', 'DE', '+491711234567'],
    ['020 7946 0958', 'GB', '+442079460958'],
    ['138 0013 8000', 'CN', '+8613800138000'],
    ['(555) 123-4567', 'US', '+15551234567'],
    // A number that is written with its country code is of that country, whatever the customer's.
    ['+44 20 7946 0958', 'US', '+442079460958'],
    // No phone numbers belong to Antarctica.
    ['+44 20 7946 0958', 'AQ', '+442079460958'],
  ];
  for (const [given, country, normal] of cases) t.equal(normalPhone(given, country), normal, given);
});

t.test('what is not a phone number, or not of one person alone, is refused', async (t) => {
  const wrong: [given: string, country: string | null][] = [
    ['0171 1234567', null],
    ['020 7946 0958', 'AQ'],
    ['call me', 'DE'],
    ['call me at +49 171 1234567', null],
    ['+1 202 555 0123 ext. 5', null],
    ['+999 123 456 789', null],
    ['12', 'US'],
    ['+49 171 1234567 1234567 1234567', null],
  ];
  for (const [given, country] of wrong) t.equal(normalPhone(given, country), undefined, given);
});
