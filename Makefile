# The front door. Every target is one line that also works pasted into a shell.

all: fmt vet lint test

fmt:
	gofmt -l -w .

vet:
	go vet ./... && go vet -tags interop ./...

lint:
	go tool -modfile=tools/go.mod golangci-lint run

test:
	go test ./...

race:
	go test -race -shuffle=on ./...

fuzz:
	FUZZ_SECONDS=600 .ci/fuzz

interop:
	go test -tags interop ./...

bench:
	cd bench && go run .

cover:
	go test -coverpkg=./... -coverprofile=cover.out ./... && go tool cover -func=cover.out | tail -1

docs:
	go doc -http

ci:
	.ci/run

.PHONY: all fmt vet lint test race fuzz interop bench cover docs ci
