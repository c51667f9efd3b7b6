// Package auth knows who a call comes from and what that principal may do.
//
// A [Principal] is a name and its roles per workspace. It comes from one of two
// credentials. People and services bring a token: an EdDSA-signed JWT that an
// [Issuer] minted and that each service checks by itself with a [Verifier],
// against the public keys of the issuers it trusts and its own list of
// [Revocations]. Host agents bring a client certificate, see [FromCertificate].
//
// What a role may do is the one table in roles.go, asked through [Allows] with
// the permission that the called method declares. Whatever the table does not
// give is denied.
// A token may be narrowed to one resource by a [Scope]: a secret address carries such a one.
//
// [AccessService] is the gRPC face of all this; both services register it. The
// transport side, which finds the credential, the permission and the workspace
// of a call, is package rpc.
package auth
