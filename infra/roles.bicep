// Every role assignment there is, by one loop: who may do what, on which resource, and on nothing above it.

param invokerRoleId string
@description('[{ who: principal id, may: name of a role below, on: resource id }]. Where one is empty, nothing is granted.')
param grants array
@description('Who deploys: a person, or a pipeline. All others are identities that were made a moment ago.')
param deployerId string

var roleIds = {
  invoker: invokerRoleId
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
  taskContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402' // Durable Task Data Contributor
}

module assignments 'br/public:avm/ptn/authorization/resource-role-assignment:0.1.2' = [
  for grant in filter(grants, one => !empty(one.who) && !empty(one.on)): {
    name: 'role-${uniqueString(grant.who, grant.may, grant.on)}'
    scope: resourceGroup(split(grant.on, '/')[2], split(grant.on, '/')[4])
    params: {
      principalId: grant.who
      // Said of new identities, because the directory may not know them everywhere yet.
      principalType: grant.who == deployerId ? '' : 'ServicePrincipal'
      roleDefinitionId: roleIds[grant.may]
      resourceId: grant.on
    }
  }
]
