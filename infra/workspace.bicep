// An Azure ML workspace with a cluster that starts at no nodes, and a datastore for raw predictions in the app's account.

param token string
param location string
param tags object
param insightsId string
@description('The app\'s storage account, and its container for raw predictions.')
param storageName string
param rawPredictions string
param nodeSize string
param nodes int
@description('Where the nodes stand; empty: in no network of ours.')
param subnetId string

module identity 'br/public:avm/res/managed-identity/user-assigned-identity:0.6.0' = {
  name: 'cluster-identity'
  params: {
    name: 'id-cluster-${token}'
    location: location
    tags: tags
  }
}

module storage 'br/public:avm/res/storage/storage-account:0.33.0' = {
  name: 'workspace-storage'
  params: {
    name: 'ml${token}'
    location: location
    tags: tags
    skuName: 'Standard_LRS'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  }
}

module vault 'br/public:avm/res/key-vault/vault:0.14.0' = {
  name: 'workspace-vault'
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    sku: 'standard'
    enableRbacAuthorization: true
    // It holds nothing of ours; with purge protection its name could not be used again for 90 days.
    enablePurgeProtection: false
    publicNetworkAccess: 'Enabled'
  }
}

module workspace 'br/public:avm/res/machine-learning-services/workspace:0.14.0' = {
  name: 'machine-learning-workspace'
  params: {
    name: 'mlw-${token}'
    location: location
    tags: tags
    sku: 'Basic'
    // Azure ML itself gives this identity what it needs of the account and the vault; ours would be in its way.
    managedIdentities: { systemAssigned: true }
    associatedStorageAccountResourceId: storage.outputs.resourceId
    associatedKeyVaultResourceId: vault.outputs.resourceId
    associatedApplicationInsightsResourceId: insightsId
    systemDatastoresAuthMode: 'Identity'
    publicNetworkAccess: 'Enabled'
    computes: [
      {
        name: 'cpu-cluster'
        location: location
        computeType: 'AmlCompute'
        sku: 'Basic'
        disableLocalAuth: true
        managedIdentities: { userAssignedResourceIds: [identity.outputs.resourceId] }
        properties: union(
          {
            osType: 'Linux'
            vmSize: nodeSize
            vmPriority: 'Dedicated'
            enableNodePublicIp: true
            remoteLoginPortPublicAccess: 'Disabled'
            scaleSettings: { minNodeCount: 0, maxNodeCount: nodes, nodeIdleTimeBeforeScaleDown: 'PT2M' }
          },
          empty(subnetId) ? {} : { subnet: { id: subnetId } }
        )
      }
    ]
    datastores: [
      {
        name: 'dropscore_raw'
        properties: {
          datastoreType: 'AzureBlob'
          accountName: storageName
          containerName: rawPredictions
          endpoint: environment().suffixes.storage
          protocol: 'https'
          credentials: { credentialsType: 'None' }
          serviceDataAccessAuthIdentity: 'None'
          subscriptionId: subscription().subscriptionId
          resourceGroup: resourceGroup().name
        }
      }
    ]
  }
}

output id string = workspace.outputs.resourceId
output name string = workspace.outputs.name
output clusterPrincipalId string = identity.outputs.principalId
output storageId string = storage.outputs.resourceId
