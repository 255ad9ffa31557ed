// Makes SAS of blobs and containers in the versions asked for; see by_version() in azurite.py.
const storage = require("@azure/storage-blob");

const { account, key, delegation, wanted } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const credential = delegation
  ? {
      ...delegation,
      signedStartsOn: new Date(delegation.signedStartsOn),
      signedExpiresOn: new Date(delegation.signedExpiresOn),
    }
  : new storage.StorageSharedKeyCredential(account, key);

function made(one) {
  const permissions = one.blobName ? storage.BlobSASPermissions : storage.ContainerSASPermissions;
  const values = {
    ...one,
    permissions: one.permissions && permissions.parse(one.permissions),
    startsOn: one.startsOn && new Date(one.startsOn),
    expiresOn: one.expiresOn && new Date(one.expiresOn),
  };
  return storage.generateBlobSASQueryParameters(values, credential, account).toString();
}

process.stdout.write(JSON.stringify(wanted.map(made)));
