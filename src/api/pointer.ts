// Owns how a name is written in a JSON pointer (RFC 6901). Does not own what is pointed at.

export function pointerToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
