#!/bin/sh
# Has Event Grid announce dropped files to the app, as infra/events.bicep says. Run by azd after each deployment; by hand
# from the project's folder: sh infra/hooks/subscribe.sh
set -eu

setting() {
  azd env get-value "$1"
}

subscription=$(setting AZURE_SUBSCRIPTION_ID)
group=$(setting AZURE_RESOURCE_GROUP)
app=$(setting FUNCTION_APP_NAME)
storage=$(setting STORAGE_ACCOUNT_NAME)
topic=$(setting EVENT_TOPIC_NAME)
inbox=$(setting INBOX_CONTAINER)
dead_letters=$(setting DEAD_LETTER_CONTAINER)

# The host makes its key when it first starts with the app, and answers Event Grid's question only once it is up.
tries=${SUBSCRIBE_TRIES:-10}
until az deployment group create --subscription "$subscription" --resource-group "$group" \
  --name events --template-file infra/events.bicep \
  --parameters "appName=$app" "storageName=$storage" "topicName=$topic" "inbox=$inbox" "deadLetters=$dead_letters" \
  --output none; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ]; then
    echo "Event Grid could not be subscribed to $app; see above. Until then dropped files are found by the sweep," >&2
    echo "within two minutes. Try again: sh infra/hooks/subscribe.sh" >&2
    exit 1
  fi
  echo "The app is not up yet; trying again in ${SUBSCRIBE_PAUSE:-30} seconds."
  sleep "${SUBSCRIBE_PAUSE:-30}"
done
echo "Files dropped into $inbox are announced to $app."
