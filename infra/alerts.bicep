// What wakes somebody. Each rule has its entry in docs/operations.md, under its name: what it means, what to do.
//
// Metrics come to AppMetrics once a minute: counters and histograms with what was added since (Sum, ItemCount, Min,
// Max; no buckets), gauges with one value a process. What is no metric of ours is told of by Event Grid.

param token string
param location string
param tags object
param logsId string
param email string

var rules = [
  {
    name: 'runs-failed'
    severity: 2
    window: 'PT15M'
    says: 'Files failed: ours or the model\'s fault, not theirs.'
    query: '''
AppMetrics
| where Name == 'dropscore.files' and tostring(Properties['dropscore.word']) == 'failed'
| summarize Failed = sum(Sum) by Route = tostring(Properties['dropscore.route'])
| where Failed > 0
'''
  }
  {
    name: 'files-waiting'
    severity: 2
    window: 'PT30M'
    says: 'Files of a route have waited for half an hour, and none of its jobs was under way.'
    query: '''
AppMetrics
| where Name in ('dropscore.files.waiting', 'dropscore.jobs.active')
| extend Route = tostring(Properties['dropscore.route']), Value = Sum / ItemCount
| summarize Waiting = minif(Value, Name == 'dropscore.files.waiting'), Jobs = maxif(Value, Name == 'dropscore.jobs.active') by Route
| where Waiting > 0 and Jobs == 0
'''
  }
  {
    name: 'heartbeat-stale'
    severity: 1
    window: 'PT10M'
    says: 'No sweep has begun for five minutes, or the app tells nothing of itself.'
    query: '''
AppMetrics
| where Name == 'dropscore.heartbeat.age'
| summarize Age = min(Sum / ItemCount)
| where isnull(Age) or isnan(Age) or Age > 300
'''
  }
  {
    name: 'jobs-overdue'
    severity: 2
    window: 'PT15M'
    says: 'A job did not end before its route\'s deadline and was canceled.'
    query: '''
AppMetrics
| where Name == 'dropscore.job.duration' and tostring(Properties['dropscore.outcome']) == 'timed-out'
| summarize Jobs = sum(ItemCount) by Route = tostring(Properties['dropscore.route'])
| where Jobs > 0
'''
  }
  {
    name: 'dead-letters'
    severity: 3
    window: 'PT15M'
    says: 'Event Grid gave up events of dropped files; the sweep finds those files.'
    query: '''
AzureMetrics
| where ResourceProvider =~ 'Microsoft.EventGrid' and MetricName == 'DeadLetteredCount'
| summarize Events = sum(Total)
| where Events > 0
'''
  }
  {
    name: 'slow-starts'
    severity: 3
    window: 'PT30M'
    says: 'More than one in twenty files waited over two minutes for their run.'
    query: '''
AppMetrics
| where Name == 'dropscore.file.wait' and ItemCount > 0
| summarize P95 = percentilew(Max, ItemCount, 95) by Route = tostring(Properties['dropscore.route'])
| where P95 > 120
'''
  }
  {
    name: 'many-rejected'
    severity: 3
    window: 'PT1H'
    says: 'More than a fifth of a route\'s files were rejected, of five or more.'
    query: '''
AppMetrics
| where Name == 'dropscore.files'
| extend Rejected = iff(tostring(Properties['dropscore.word']) == 'rejected', Sum, 0.0)
| summarize Files = sum(Sum), Rejected = sum(Rejected) by Route = tostring(Properties['dropscore.route'])
| where Files >= 5 and Rejected > 0.2 * Files
'''
  }
]

module mail 'br/public:avm/res/insights/action-group:0.8.0' = if (!empty(email)) {
  name: 'mail'
  params: {
    name: 'ag-${token}'
    groupShortName: 'dropscore'
    tags: tags
    emailReceivers: [{ name: 'mail', emailAddress: email, useCommonAlertSchema: true }]
  }
}

module alerts 'br/public:avm/res/insights/scheduled-query-rule:0.6.0' = [
  for rule in rules: {
    name: 'alert-${rule.name}'
    params: {
      name: 'dropscore-${rule.name}'
      location: location
      tags: tags
      alertDescription: rule.says
      severity: rule.severity
      scopes: [logsId]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      autoMitigate: true
      // The tables are there only once something was written to them.
      skipQueryValidation: true
      criterias: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroupResourceIds: empty(email) ? [] : [mail.?outputs.?resourceId ?? ''] }
    }
  }
]
