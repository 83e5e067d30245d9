# Has Event Grid announce dropped files to the app, as infra/events.bicep says. Run by azd after each deployment; by hand
# from the project's folder: pwsh infra/hooks/subscribe.ps1
$ErrorActionPreference = 'Stop'

function Get-Setting($name) {
    $value = azd env get-value $name
    if ($LASTEXITCODE -ne 0) { throw "azd has no value $name; run azd provision first." }
    $value
}

$subscription = Get-Setting AZURE_SUBSCRIPTION_ID
$group = Get-Setting AZURE_RESOURCE_GROUP
$app = Get-Setting FUNCTION_APP_NAME
$storage = Get-Setting STORAGE_ACCOUNT_NAME
$topic = Get-Setting EVENT_TOPIC_NAME
$inbox = Get-Setting INBOX_CONTAINER
$deadLetters = Get-Setting DEAD_LETTER_CONTAINER

# The host makes its key when it first starts with the app, and answers Event Grid's question only once it is up.
$tries = if ($env:SUBSCRIBE_TRIES) { [int]$env:SUBSCRIBE_TRIES } else { 10 }
$pause = if ($env:SUBSCRIBE_PAUSE) { [int]$env:SUBSCRIBE_PAUSE } else { 30 }
while ($true) {
    az deployment group create --subscription "$subscription" --resource-group "$group" `
        --name events --template-file infra/events.bicep `
        --parameters "appName=$app" "storageName=$storage" "topicName=$topic" "inbox=$inbox" "deadLetters=$deadLetters" `
        --output none
    if ($LASTEXITCODE -eq 0) { break }
    $tries -= 1
    if ($tries -le 0) {
        Write-Error ("Event Grid could not be subscribed to $app; see above. Until then dropped files are found by the " +
            "sweep, within two minutes. Try again: pwsh infra/hooks/subscribe.ps1")
    }
    Write-Output "The app is not up yet; trying again in $pause seconds."
    Start-Sleep -Seconds $pause
}
Write-Output "Files dropped into $inbox are announced to $app."
