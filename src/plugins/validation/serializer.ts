// Owns the step from a handler's answer to its text, and the check of answers where it is asked for.
// Plain JSON.stringify and no compiled serialiser: that one leaves out what its schema does not name and
// turns types into others, in silence; and the answer that is kept for an idempotency key, which is plain
// JSON too, has to be the same to the byte.

import { compile, createInlinerCache } from './compiler.js';

interface SerializationRoute {
  schema?: unknown;
  method?: string;
  url?: string;
  httpStatus?: string;
}

type Serialize = (answer: unknown) => string;

/** For Fastify's `compilersFactory.buildSerializer`. */
export function buildSerializer(checked: boolean) {
  if (!checked) return () => () => JSON.stringify as Serialize;
  const inlinerOf = createInlinerCache();
  return (sharedSchemas: unknown) => {
    const inliner = inlinerOf(sharedSchemas);
    return (route: SerializationRoute): Serialize => {
      const where = `${route.method} ${route.url} ${route.httpStatus}`;
      const validator = compile(route.schema, inliner, where);
      return (answer) => {
        const text = JSON.stringify(answer);
        const sent: unknown = JSON.parse(text);
        if (validator.Check(sent)) return text;
        const [first] = validator.Errors(sent);
        throw new Error(
          `${where}: the answer is not what its schema says: ${first?.instancePath} ${first?.message}`,
        );
      };
    };
  };
}
