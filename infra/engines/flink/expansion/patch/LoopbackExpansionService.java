/*
 * Millrace: Beam's own expansion service listens on every interface, and whoever reaches it has classes loaded and called. This one
 * listens on the loopback interface.
 */
package millrace;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.apache.beam.sdk.expansion.service.ExpansionServer;
import org.apache.beam.sdk.expansion.service.ExpansionService;
import org.apache.beam.sdk.expansion.service.ExpansionServiceOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;

/** Started with a port and options of Beam's; it ends with its process. */
public final class LoopbackExpansionService {
  private LoopbackExpansionService() {}

  public static void main(String[] args) throws Exception {
    PipelineOptionsFactory.register(ExpansionServiceOptions.class);
    int port = Integer.parseInt(args[0]);
    ExpansionService service = new ExpansionService(Arrays.copyOfRange(args, 1, args.length));
    ExpansionServer.create(service, "127.0.0.1", port);
    new CountDownLatch(1).await();
  }
}
