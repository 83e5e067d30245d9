// One account for what people drop, what they get, the ledger, Durable Functions and the app's package: no keys.

param name string
param location string
param tags object
param redundancy string
param containers array
@description('Days after which blobs of a container are deleted: [{ container, days }], 0 for never.')
param retention array
param privateEndpoints array

// In which a deleted or overwritten blob can be brought back.
var softDeleteDays = 7

module account 'br/public:avm/res/storage/storage-account:0.33.0' = {
  name: 'account'
  params: {
    name: name
    location: location
    tags: tags
    skuName: redundancy
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    // "Enabled" with "Deny" is what lets Event Grid, a trusted service, write dead letters; nobody else gets in.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: empty(privateEndpoints) ? 'Allow' : 'Deny'
    }
    privateEndpoints: privateEndpoints
    blobServices: {
      deleteRetentionPolicyEnabled: true
      deleteRetentionPolicyDays: softDeleteDays
      containerDeleteRetentionPolicyEnabled: true
      containerDeleteRetentionPolicyDays: softDeleteDays
      containers: [for container in containers: { name: container, publicAccess: 'None' }]
    }
    managementPolicyRules: [
      for rule in filter(retention, one => one.days > 0): {
        name: 'delete-${rule.container}'
        enabled: true
        type: 'Lifecycle'
        definition: {
          actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: rule.days } } }
          filters: { blobTypes: ['blockBlob'], prefixMatch: ['${rule.container}/'] }
        }
      }
    ]
  }
}

output id string = account.outputs.resourceId
output name string = account.outputs.name
output endpoints object = account.outputs.serviceEndpoints
