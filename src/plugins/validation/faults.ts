// Owns how what the validator found reads to a client: one line for each fault, at its place. Does not own
// the finding. Runs only for requests that are refused.

import type { TLocalizedValidationError as Finding } from 'typebox/error';
import type { Fault } from '../../errors.js';

const FAULTS_MAX = 20;

export function faultsOf(findings: readonly Finding[], prefix: string, value: unknown): Fault[] {
  const faults = new Map<string, Fault>();
  for (const finding of settleUnions(findings)) {
    for (const fault of describe(finding, prefix)) {
      const key = `${fault.pointer} ${fault.detail}`;
      if (faults.size < FAULTS_MAX && fault.pointer.length <= 2000) faults.set(key, fault);
    }
  }
  if (faults.size === 0)
    faults.set('', { pointer: prefix, detail: value === undefined ? 'is missing' : 'does not fit' });
  return [...faults.values()];
}

function describe(finding: Finding, prefix: string): Fault[] {
  const { instancePath, params } = finding;
  const at = (key?: string) => `${prefix}${instancePath}${key === undefined ? '' : `/${escapePointer(key)}`}`;
  switch (finding.keyword) {
    // Accompanies `additionalProperties`, which names the field.
    case 'boolean':
      return [];
    case 'additionalProperties':
      return finding.params.additionalProperties.map((key) => ({
        pointer: at(key),
        detail: 'is not a known field',
      }));
    case 'required':
      return finding.params.requiredProperties.map((key) => ({ pointer: at(key), detail: 'is required' }));
    default:
      return [
        {
          pointer: at(),
          detail: detailOf(finding.keyword, params as Record<string, unknown>, finding.message),
        },
      ];
  }
}

function detailOf(keyword: string, params: Record<string, unknown>, fallback: string): string {
  switch (keyword) {
    case 'type':
      return `must be ${listed([params.type].flat().map(named))}`;
    case 'const':
      return `must be ${quoted(params.allowedValue)}`;
    case 'enum': {
      const allowed = params.allowedValues as unknown[];
      return allowed.length > 12
        ? 'is not one of the permitted values'
        : `must be one of ${allowed.map(quoted).join(', ')}`;
    }
    case 'format':
      return `must be a valid ${String(params.format)}`;
    case 'pattern':
      return `must match ${String(params.pattern)}`;
    case 'minLength':
    case 'maxLength':
      return `must have at ${keyword === 'minLength' ? 'least' : 'most'} ${String(params.limit)} characters`;
    case 'minItems':
    case 'maxItems':
      return `must have at ${keyword === 'minItems' ? 'least' : 'most'} ${String(params.limit)} items`;
    default:
      return fallback;
  }
}

/**
 * A value that fits no branch of a union is reported by the library once for every branch. What helps is the
 * branch that was meant: the one whose type and discriminator fit.
 */
function settleUnions(findings: readonly Finding[]): Finding[] {
  const union = outermostUnion(findings);
  if (union === undefined) return [...findings];
  const { schemaPath, instancePath } = union;
  const branches = new Map<string, Finding[]>();
  const others: Finding[] = [];
  for (const finding of findings) {
    if (finding === union) continue;
    const branch = branchOf(finding, union);
    if (branch === undefined) others.push(finding);
    else branches.set(branch, [...(branches.get(branch) ?? []), finding]);
  }
  const all = [...branches.values()].map((branch) => ({ branch, off: missed(branch, instancePath) }));
  const meant = all
    .filter(({ off }) => off === undefined)
    .sort((a, b) => a.branch.length - b.branch.length)[0];
  if (meant !== undefined) return [...settleUnions(others), ...settleUnions(meant.branch)];
  const merged = merge(
    all.map(({ off }) => off).filter((off) => off !== undefined),
    schemaPath,
  );
  return [...settleUnions(others), ...merged];
}

function outermostUnion(findings: readonly Finding[]): Finding | undefined {
  let outermost: Finding | undefined;
  for (const finding of findings) {
    if (finding.keyword !== 'anyOf' && finding.keyword !== 'oneOf') continue;
    if (outermost === undefined || finding.schemaPath.length < outermost.schemaPath.length)
      outermost = finding;
  }
  return outermost;
}

function branchOf(finding: Finding, union: Finding): string | undefined {
  const prefix = `${union.schemaPath}/${union.keyword}/`;
  const { instancePath } = union;
  const inside = finding.instancePath === instancePath || finding.instancePath.startsWith(`${instancePath}/`);
  if (!inside || !finding.schemaPath.startsWith(prefix)) return undefined;
  return finding.schemaPath.slice(prefix.length).split('/', 1)[0];
}

/** The finding that shows a branch was not meant: its type, or a constant at the value or in one of its fields. */
function missed(branch: Finding[], instancePath: string): Finding | undefined {
  return branch.find(({ keyword, instancePath: path }) => {
    if (path === instancePath) return keyword === 'type' || keyword === 'const' || keyword === 'enum';
    return keyword === 'const' && !path.slice(instancePath.length + 1).includes('/');
  });
}

/** No branch was meant: say together what the branches would have taken. */
function merge(findings: Finding[], schemaPath: string): Finding[] {
  const [first] = findings;
  if (first === undefined) return [];
  const constants = findings.filter(
    (finding) => finding.keyword === 'const' && finding.instancePath === first.instancePath,
  );
  if (constants.length === findings.length) {
    const allowedValues = constants.map(
      (finding) => (finding.params as { allowedValue: unknown }).allowedValue,
    );
    return [{ ...first, keyword: 'enum', schemaPath, params: { allowedValues } } as Finding];
  }
  const types = findings.filter((finding) => finding.keyword === 'type');
  const names = [
    ...new Set(types.flatMap((finding) => (finding.params as { type: string | string[] }).type)),
  ];
  if (types.length === findings.length) {
    return [{ ...first, keyword: 'type', schemaPath, params: { type: names } } as Finding];
  }
  return [first];
}

function named(type: unknown): string {
  if (type === 'null') return 'null';
  return type === 'array' || type === 'integer' || type === 'object' ? `an ${type}` : `a ${String(type)}`;
}

function listed(names: string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
