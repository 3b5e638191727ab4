// Command producer publishes one CloudEvent three times, as producers in Go do: through the Pub/Sub binding of the CloudEvents SDK in
// structured and in binary mode, and with the plain client of Google in binary mode, the attributes written by hand.
//
// Usage: producer <project> <topic> <event as JSON>
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"cloud.google.com/go/pubsub/v2"
	cepubsub "github.com/cloudevents/sdk-go/protocol/pubsub/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: producer <project> <topic> <event as JSON>")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], []byte(os.Args[3])); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, project, topic string, text []byte) error {
	var event cloudevents.Event
	if err := json.Unmarshal(text, &event); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer client.Close()
	if err := publishBySDK(ctx, client, topic, event); err != nil {
		return err
	}
	return publishByHand(ctx, client, topic, event)
}

func publishBySDK(ctx context.Context, client *pubsub.Client, topic string, event cloudevents.Event) error {
	protocol, err := cepubsub.New(ctx, cepubsub.WithClient(client), cepubsub.WithTopicID(topic))
	if err != nil {
		return fmt.Errorf("open the binding: %w", err)
	}
	for _, mode := range []context.Context{binding.WithForceStructured(ctx), binding.WithForceBinary(ctx)} {
		if err := protocol.Send(mode, (*binding.EventMessage)(&event)); err != nil {
			return fmt.Errorf("publish by the binding: %w", err)
		}
	}
	return nil
}

func publishByHand(ctx context.Context, client *pubsub.Client, topic string, event cloudevents.Event) error {
	message := &pubsub.Message{
		Data: event.Data(),
		Attributes: map[string]string{
			"ce-specversion": "1.0",
			"ce-id":          event.ID(),
			"ce-source":      event.Source(),
			"ce-type":        event.Type(),
			"ce-subject":     event.Subject(),
			"ce-time":        event.Time().UTC().Format(time.RFC3339Nano),
			"content-type":   "application/json",
		},
	}
	if _, err := client.Publisher(topic).Publish(ctx, message).Get(ctx); err != nil {
		return fmt.Errorf("publish by hand: %w", err)
	}
	return nil
}
