// Owns the judgement of where a webhook may go: classes of IP addresses, and urls before they are stored
// or used. Pure: it resolves no name; the connector asks it again about every address a name resolves to.

import ipaddr from 'ipaddr.js';

export const ADDRESS_CLASSES = [
  'public',
  'loopback',
  'private',
  'shared',
  'link_local',
  'metadata',
  'multicast',
  'unspecified',
  'broadcast',
  'documentation',
  'benchmarking',
  'embedded_ipv4',
  'reserved',
  'invalid',
] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

/** The IANA special-purpose registries and the clouds' metadata services. The first match decides. */
const RANGES: readonly (readonly [AddressClass, readonly string[]])[] = [
  // Most lie in ranges that are refused below. Those outside matter most: Azure's is a public address,
  // and the unique local ones would otherwise open with WEBHOOK_ALLOW_PRIVATE.
  ['metadata', ['169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32', '169.254.42.42/32']],
  ['metadata', ['100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32']],
  ['metadata', ['fd00:ec2::/32', 'fd20:ce::254/128', 'fd00:42::42/128']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10']],
  ['shared', ['100.64.0.0/10']],
  ['link_local', ['169.254.0.0/16', 'fe80::/10']],
  ['broadcast', ['255.255.255.255/32']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['documentation', ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20']],
  ['benchmarking', ['198.18.0.0/15', '2001:2::/48']],
  // A gateway may carry these on to the IPv4 address inside: ::/8 holds the mapped, the compatible, the
  // translated and both NAT64 prefixes; then 6to4 and Teredo.
  ['embedded_ipv4', ['::/8', '2002::/16', '2001::/32']],
  ['reserved', ['192.0.0.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24']],
  ['reserved', ['192.175.48.0/24', '240.0.0.0/4', '2001::/23', '2620:4f:8000::/48']],
];
const COMPILED = RANGES.flatMap(([name, ranges]) =>
  ranges.map((range) => ({ name, range: ipaddr.parseCIDR(range) })),
);
/** What any spelling consists of: digits, hexadecimal, and a zone after `%`. */
const ADDRESS_LETTERS = /^[\da-fx.:]+(?:%.+)?$/i;
const GLOBAL_UNICAST_IPV6 = ipaddr.parseCIDR('2000::/3');

/**
 * The class of an IPv4 or IPv6 address in any spelling that a resolver's library would accept (decimal,
 * octal, hexadecimal and short forms included); `invalid` for anything else.
 */
export function classifyAddress(ip: string): AddressClass {
  // Most hosts are names, and the library takes 13 µs to say so.
  if (!ADDRESS_LETTERS.test(ip) || !ipaddr.isValid(ip)) return 'invalid';
  const address = ipaddr.parse(ip);
  for (const { name, range } of COMPILED) {
    if (range[0].kind() === address.kind() && address.match(range)) return name;
  }
  if (address instanceof ipaddr.IPv6) {
    if (!address.match(GLOBAL_UNICAST_IPV6)) return 'reserved';
    // A zone makes sense on one link only, whatever the address claims.
    if (address.zoneId !== undefined) return 'link_local';
    if (isIsatap(address.parts)) return 'embedded_ipv4';
  }
  // The library's own table as a second opinion: what either of the two knows as special is refused.
  return address.range() === 'unicast' ? 'public' : 'reserved';
}

/** What a private receiver may have. Nothing ever opens the rest: no receiver lives there. */
const PRIVATE_CLASSES: ReadonlySet<AddressClass> = new Set<AddressClass>(['loopback', 'private', 'shared']);

export function isAllowedClass(
  addressClass: AddressClass,
  { allowPrivate, allowPublic = true }: { allowPrivate: boolean; allowPublic?: boolean },
): boolean {
  if (addressClass === 'public') return allowPublic;
  return allowPrivate && PRIVATE_CLASSES.has(addressClass);
}

export const URL_REFUSALS = [
  'too_long',
  'malformed',
  'scheme_not_allowed',
  'http_not_allowed',
  'has_credentials',
  'has_fragment',
  'port_not_allowed',
  'name_not_allowed',
  'address_not_allowed',
] as const;
export type UrlRefusal = (typeof URL_REFUSALS)[number];

export interface UrlPolicy {
  /** Loopback and private addresses, which may be called by plain http, and names of private networks. */
  allowPrivate: boolean;
  /** Plain http to anywhere. */
  allowHttp: boolean;
}

export type UrlCheck = { ok: true; url: URL } | { ok: false; reason: UrlRefusal; detail: string };

const URL_LENGTH_MAX = 2048;
const NAME_LENGTH_MAX = 253;

/** Names that stand for the cloud's own metadata service: not even a private receiver is behind them. */
const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata.google.internal', 'metadata.goog']);

/** Suffixes that no public resolver answers, so whoever names one means a neighbour of this service. */
const PRIVATE_SUFFIXES = [
  '.localhost',
  '.localdomain',
  '.local',
  '.internal',
  '.intranet',
  '.private',
  '.corp',
  '.home',
  '.home.arpa',
  '.lan',
  '.svc',
];

/**
 * Whether a webhook may be sent to this url, as far as its text tells. The url that comes back is the
 * one to use: normalised, IPv4 in dotted decimal, without the dot that ends a fully qualified name.
 */
export function checkUrl(text: string, policy: UrlPolicy): UrlCheck {
  if (text.length > URL_LENGTH_MAX) return refuse('too_long', `the url is longer than ${URL_LENGTH_MAX}`);
  // The parser would drop white space and read a backslash as a slash; whoever else reads the url may not.
  const url = /[\s\\\p{Cc}]/u.test(text) ? undefined : parse(text);
  if (url === undefined) return refuse('malformed', 'this is not a url');
  return checkShape(url, policy) ?? checkHost(url, policy) ?? { ok: true, url };
}

function checkShape(url: URL, policy: UrlPolicy): UrlCheck | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refuse('scheme_not_allowed', 'only http and https urls receive webhooks');
  }
  if (url.protocol === 'http:' && !policy.allowHttp && !policy.allowPrivate) return refuseHttp();
  if (url.username !== '' || url.password !== '') {
    return refuse('has_credentials', 'a user name or a password in the url is not allowed');
  }
  if (url.hash !== '') return refuse('has_fragment', 'a fragment would never reach the receiver');
  // WHATWG leaves the port empty where it is the scheme's own. Below 1024 live mail, databases, shells.
  if (url.port !== '' && url.port !== '80' && url.port !== '443' && Number(url.port) < 1024) {
    return refuse('port_not_allowed', 'the port must be 80, 443 or at least 1024');
  }
  // Non-ASCII names and paths grow when they are encoded.
  if (url.href.length > URL_LENGTH_MAX) return refuse('too_long', `the url is longer than ${URL_LENGTH_MAX}`);
  return undefined;
}

function refuseHttp(): UrlCheck {
  return refuse('http_not_allowed', 'plain http is not allowed here, use https');
}

/** Where only private addresses are open, plain http goes to those alone; what a name leads to, the connector judges. */
function checkHost(url: URL, { allowPrivate, allowHttp }: UrlPolicy): UrlCheck | undefined {
  const isOpenHttp = url.protocol === 'http:' && !allowHttp;
  const literal = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const addressClass = classifyAddress(literal);
  if (addressClass !== 'invalid') {
    if (isOpenHttp && addressClass === 'public') return refuseHttp();
    if (isAllowedClass(addressClass, { allowPrivate })) return undefined;
    return refuse('address_not_allowed', `a ${addressClass} address may not receive webhooks`);
  }
  const name = literal.endsWith('.') ? literal.slice(0, -1) : literal;
  const labels = name.split('.');
  if (name.length > NAME_LENGTH_MAX || labels.some((label) => label === '' || label.length > 63)) {
    return refuse('malformed', 'the host is not a domain name');
  }
  const isPrivate = labels.length === 1 || PRIVATE_SUFFIXES.some((suffix) => name.endsWith(suffix));
  if (METADATA_NAMES.has(name) || (isPrivate && !allowPrivate)) {
    return refuse('name_not_allowed', `${name} is not a public host name`);
  }
  // One spelling for one host: TLS names and connection pools know nothing of the root's dot.
  if (name !== literal) url.hostname = name;
  return undefined;
}

function parse(text: string): URL | undefined {
  // Not URL.canParse: in Node 20, once it has been called often enough to be optimised, it reads Latin-1
  // text as UTF-8 and refuses every url with a letter like ü in it.
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Interface identifiers 0000:5efe and 0200:5efe, under any prefix, carry an IPv4 address (RFC 5214). */
function isIsatap(parts: readonly number[]): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x200);
}

function refuse(reason: UrlRefusal, detail: string): UrlCheck {
  return { ok: false, reason, detail };
}
