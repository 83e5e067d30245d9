targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment: one deployment of its own.')
param environmentName string

@minLength(1)
@description('Region of everything.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Who deploys. May drop files, set routes, and read predictions; empty: nobody but the app.')
param principalId string = deployer().objectId

@description('Storage and function app in a virtual network, storage behind private endpoints.')
param vnetEnabled bool = false

@description('Resource id of an Azure ML workspace that is there already; empty: one is made, with a cluster and the sample model.')
param workspaceId string = ''

@description('With a workspace that is there already: resource id of the container behind the datastore of the routes.')
param datastoreContainerId string = ''

@description('With a workspace that is there already: principal id of the cluster identity, which reads the parts.')
param clusterPrincipalId string = ''

@description('Size of the nodes of a new cluster.')
param clusterNodeSize string = 'Standard_DS3_v2'

@description('Most nodes of a new cluster; it has none while there is no job.')
param clusterNodes int = 2

@description('Where Durable Functions keeps its state.')
@allowed(['AzureStorage', 'DurableTaskScheduler'])
param durableBackend string = 'AzureStorage'

@description('Most instances of the function app.')
param maximumInstances int = 40

@description('Copies of what is stored.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageRedundancy string = 'Standard_LRS'

@description('Days until archived inputs are deleted; 0: never.')
param keepArchiveDays int = 0

@description('Days until rejected files are deleted; 0: never.')
param keepRejectedDays int = 0

@description('Days until predictions are deleted; 0: never.')
param keepPredictionsDays int = 0

@description('Who is mailed by alerts; empty: alerts are only shown.')
param alertEmail string = ''

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var makeWorkspace = empty(workspaceId)
var useScheduler = durableBackend == 'DurableTaskScheduler'
var taskHub = 'dropscore'

// The containers of each role, as the app is told them. The last ones are not the app's own to name.
var containers = {
  inbox: 'inbox'
  predictions: 'predictions'
  rejected: 'rejected'
  archive: 'archive'
  work: 'work'
  ledger: 'ledger'
  config: 'config'
  status: 'status'
}
var packages = 'packages'
var deadLetters = 'deadletters'
var rawPredictions = 'raw'

// What the ledger forgets (DROPSCORE_KEEP, 90 days) nobody asks for any more: this is the backstop behind it.
var backstopDays = 97

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'br/public:avm/res/managed-identity/user-assigned-identity:0.6.0' = {
  name: 'app-identity'
  scope: group
  params: {
    name: 'id-app-${token}'
    location: location
    tags: tags
  }
}

module network 'network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    redundancy: storageRedundancy
    containers: concat(map(items(containers), item => item.value), [packages, deadLetters, rawPredictions])
    retention: [
      { container: containers.work, days: backstopDays }
      { container: rawPredictions, days: backstopDays }
      { container: deadLetters, days: backstopDays }
      { container: containers.archive, days: keepArchiveDays }
      { container: containers.rejected, days: keepRejectedDays }
      { container: containers.predictions, days: keepPredictionsDays }
    ]
    privateEndpoints: vnetEnabled ? network.?outputs.?storageEndpoints ?? [] : []
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    alertEmail: alertEmail
  }
}

module topic 'br/public:avm/res/event-grid/system-topic:0.7.0' = {
  name: 'topic'
  scope: group
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    source: storage.outputs.id
    topicType: 'Microsoft.Storage.StorageAccounts'
    managedIdentities: { systemAssigned: true }
    diagnosticSettings: [
      {
        workspaceResourceId: monitoring.outputs.logsId
        logCategoriesAndGroups: [{ categoryGroup: 'allLogs' }]
        metricCategories: [{ category: 'AllMetrics' }]
      }
    ]
  }
}

module scheduler 'scheduler.bicep' = if (useScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: 'dts-${token}'
    location: location
    tags: tags
    taskHub: taskHub
  }
}

module workspace 'workspace.bicep' = if (makeWorkspace) {
  name: 'workspace'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    storageName: storage.outputs.name
    rawPredictions: rawPredictions
    nodeSize: clusterNodeSize
    nodes: clusterNodes
    subnetId: vnetEnabled ? network.?outputs.?clusterSubnetId ?? '' : ''
  }
}

var usedWorkspaceId = makeWorkspace ? workspace.?outputs.?id ?? '' : workspaceId

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identity.outputs.resourceId
    clientId: identity.outputs.clientId
    storageEndpoints: storage.outputs.endpoints
    containers: containers
    packages: packages
    insightsConnection: monitoring.outputs.insightsConnection
    workspaceId: usedWorkspaceId
    taskHub: taskHub
    schedulerEndpoint: useScheduler ? scheduler.?outputs.?endpoint ?? '' : ''
    subnetId: vnetEnabled ? network.?outputs.?appSubnetId ?? '' : ''
    maximumInstances: maximumInstances
  }
}

module invoker 'invoker.bicep' = {
  name: 'invoker-${token}'
  scope: resourceGroup(
    makeWorkspace ? subscription().subscriptionId : split(workspaceId, '/')[2],
    makeWorkspace ? group.name : split(workspaceId, '/')[4]
  )
  params: { token: token }
}

var appPrincipal = identity.outputs.principalId
var clusterPrincipal = makeWorkspace ? workspace.?outputs.?clusterPrincipalId ?? '' : clusterPrincipalId
var workspaceStorageId = workspace.?outputs.?storageId ?? ''
var containerIds = '${storage.outputs.id}/blobServices/default/containers'

var grants = [
  { who: appPrincipal, may: 'blobOwner', on: storage.outputs.id }
  { who: appPrincipal, may: 'queueContributor', on: storage.outputs.id }
  { who: appPrincipal, may: 'tableContributor', on: storage.outputs.id }
  { who: appPrincipal, may: 'metricsPublisher', on: monitoring.outputs.insightsId }
  { who: appPrincipal, may: 'invoker', on: usedWorkspaceId }
  { who: topic.outputs.?systemAssignedMIPrincipalId ?? '', may: 'blobContributor', on: '${containerIds}/${deadLetters}' }
  { who: clusterPrincipal, may: 'blobReader', on: '${containerIds}/${containers.work}' }
]
var grantsOfScheduler = [
  { who: appPrincipal, may: 'taskContributor', on: scheduler.?outputs.?id ?? '' }
]
var grantsOfDatastore = [
  { who: appPrincipal, may: 'blobReader', on: datastoreContainerId }
]
var grantsOfNewWorkspace = [
  { who: clusterPrincipal, may: 'blobContributor', on: '${containerIds}/${rawPredictions}' }
  { who: clusterPrincipal, may: 'blobContributor', on: workspaceStorageId }
  // A batch job is a parallel run, whose nodes share out their work in a queue and a table of this account.
  { who: clusterPrincipal, may: 'queueContributor', on: workspaceStorageId }
  { who: clusterPrincipal, may: 'tableContributor', on: workspaceStorageId }
  { who: principalId, may: 'blobContributor', on: workspaceStorageId }
]
var grantsOfDeployer = [
  { who: principalId, may: 'blobContributor', on: '${containerIds}/${containers.inbox}' }
  { who: principalId, may: 'blobContributor', on: '${containerIds}/${containers.config}' }
  { who: principalId, may: 'blobReader', on: '${containerIds}/${containers.predictions}' }
  { who: principalId, may: 'blobReader', on: '${containerIds}/${containers.rejected}' }
]

module roles 'roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    invokerRoleId: invoker.outputs.roleId
    deployerId: principalId
    grants: concat(
      grants,
      useScheduler ? grantsOfScheduler : [],
      makeWorkspace ? grantsOfNewWorkspace : [],
      empty(datastoreContainerId) ? [] : grantsOfDatastore,
      empty(principalId) ? [] : grantsOfDeployer
    )
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output EVENT_TOPIC_NAME string = topic.outputs.name
output DEAD_LETTER_CONTAINER string = deadLetters
output INBOX_CONTAINER string = containers.inbox
output CONFIG_CONTAINER string = containers.config
output SAMPLE_WORKSPACE_NAME string = workspace.?outputs.?name ?? ''
output SAMPLE_ENDPOINT_NAME string = 'diabetes-${token}'
output DROPSCORE_URL string = app.outputs.url
