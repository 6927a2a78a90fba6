// Owns a certificate for tests of TLS: self-signed, for hooks.example.test alone, valid from 2020 to 2120.
// Its key is public by being here, and nothing but a test ever trusts it.

export const CERTIFICATE_NAME = 'hooks.example.test';

export const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLerX3EOgxXE87B/A
Qu27JFc13rsqvQpLWJnhNqmg6nWhRANCAATyKIs44lhpsHLXp6SHzHEHUYXFuexg
2HgoFgmM9q+mm3loyQFMqMz21WYKO0uFppir4jfhU5YeWCCwm80wEA35
-----END PRIVATE KEY-----
`;

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBezCCASKgAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJob29rcy5l
eGFtcGxlLnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0x
GzAZBgNVBAMMEmhvb2tzLmV4YW1wbGUudGVzdDBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABPIoizjiWGmwctenpIfMcQdRhcW57GDYeCgWCYz2r6abeWjJAUyozPbV
Zgo7S4WmmKviN+FTlh5YILCbzTAQDfmjUTBPMA8GA1UdEwEB/wQFMAMBAf8wHQYD
VR0RBBYwFIISaG9va3MuZXhhbXBsZS50ZXN0MB0GA1UdDgQWBBQEqebUoXYds8VW
eqZNbVUtBuIy+jAKBggqhkjOPQQDAgNHADBEAiBFd90B3fu9NVUttz3qY+F+LXSU
x4JkN6cFfNnk6+sduAIgF0KLGiO5Mo10EDB9qWzSbYpDtlFrVeU2OcAtLsFLvEQ=
-----END CERTIFICATE-----
`;
