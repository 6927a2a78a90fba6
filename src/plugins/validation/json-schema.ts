// Owns the one type that the parts of the validation share. Does not own any schema.

/** A schema as the compiler and the document see it: plain JSON. */
export type JsonSchema = Record<string, unknown>;

/** Shared schemas by the references that name them: `Id#`. */
export type Registry = Record<string, JsonSchema>;
