package cli

import (
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// signedFile reads a document and the signature that minisign -S has put beside it; nil where no file is given.
func (c *client) signedFile(file string) (*deploymentv1.SignedDocument, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // not to sign is the usual case
	}
	document, err := c.readFile(file)
	if err != nil {
		return nil, err
	}
	signature, err := c.readFile(file + ".minisig")
	if err != nil {
		return nil, err
	}
	return &deploymentv1.SignedDocument{Document: document, Signature: string(signature)}, nil
}
