// Command pause holds the namespaces of a pod and reaps its orphans.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	dead := make(chan os.Signal, 8)
	signal.Notify(dead, syscall.SIGCHLD)
	go func() {
		for range dead {
			reap()
		}
	}()
	<-end
}

func reap() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
			return
		}
	}
}
