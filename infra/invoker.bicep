// What the app may do in the workspace: have the models that are deployed there score, and watch and stop its jobs.

param token string

var workspace = 'Microsoft.MachineLearningServices/workspaces'

// What Microsoft's documentation asks for to invoke a batch endpoint ("Configure RBAC for batch endpoints invoke"),
// without what would change endpoints, deployments, datastores and environments or read keys of storage and computes;
// then what it takes to read, list and cancel jobs. docs/security.md names what is left out.
var invoke = [
  'read'
  'data/versions/write'
  'datasets/registered/read'
  'datasets/registered/write'
  'datasets/unregistered/read'
  'datasets/unregistered/write'
  'datastores/read'
  'datastores/listsecrets/action'
  'batchEndpoints/read'
  'batchEndpoints/deployments/read'
  'batchEndpoints/deployments/jobs/write'
  'batchEndpoints/jobs/write'
  'computes/read'
  'metadata/secrets/read'
  'metadata/snapshots/read'
  'metadata/artifacts/read'
  'metadata/artifacts/write'
  'experiments/read'
  'experiments/runs/read'
  'experiments/runs/write'
  'experiments/runs/submit/action'
  'metrics/resource/write'
  'modules/read'
  'models/read'
  'endpoints/pipelines/read'
  'endpoints/pipelines/write'
  'environments/read'
  'environments/readSecrets/action'
]
var watch = [
  'batchEndpoints/jobs/read'
  'batchEndpoints/deployments/jobs/read'
  'jobs/read'
  'jobs/cancel/action'
]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, token, 'invoker')
  properties: {
    roleName: 'dropscore invoker ${token}'
    description: 'Invokes batch endpoints; reads, lists and cancels jobs; reads endpoints and datastores.'
    type: 'CustomRole'
    permissions: [{ actions: map(concat(invoke, watch), action => '${workspace}/${action}'), notActions: [] }]
    assignableScopes: [resourceGroup().id]
  }
}

output roleId string = role.id
