// Owns where the range of ids begins and ends: for a statement that goes through rows in the order of their ids and
// has no last one yet, so that the first page is asked for like any other.

export const FIRST_ID = '00000000-0000-0000-0000-000000000000';
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
